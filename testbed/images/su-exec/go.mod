module consul-deploy/testbed/su-exec

go 1.26.0
