# The command as an image: docker build -t consul-deploy .
# dist/ is committed, and holds all that it needs. A kubeconfig whose credentials come from a plugin needs an image with
# that plugin, made from this one. The base is named by its tag, since its digest could not be looked up where this was written:
# `docker buildx imagetools inspect node:24.21.0-alpine` prints it. Behind an `@` Dependabot keeps it up to date, too.
FROM node:24.21.0-alpine
WORKDIR /opt/consul-deploy
COPY package.json LICENSE ./
COPY bin bin
COPY dist dist
RUN ln -s /opt/consul-deploy/bin/consul-deploy.js /usr/local/bin/consul-deploy
# What it writes goes here, or into a folder that is mounted here.
WORKDIR /workspace
RUN chown node:node /workspace
# The user `node` of the base image, by its number, so that `runAsNonRoot` can tell.
USER 1000:1000
ENTRYPOINT ["consul-deploy"]
