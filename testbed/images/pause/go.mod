module consul-deploy/testbed/pause

go 1.26.0
