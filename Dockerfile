# test/interop/dockerfile-steps.sh runs the same steps without Docker.
FROM node:20-slim AS build
WORKDIR /src
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts
COPY . .
RUN node build.mjs --no-types
RUN npm prune --omit=dev --ignore-scripts

FROM node:20-slim
WORKDIR /app
COPY --from=build /src/node_modules ./node_modules
COPY --from=build /src/dist ./dist
COPY --from=build /src/package.json /src/LICENSE /src/NOTICE ./
# What is mounted at /seed is in place before the container is healthy (docs/fixture.md, "Seed folder").
RUN mkdir /data /seed && chown node:node /data
# Ports are mapped, so another one than the wanted is of no use.
ENV NODE_ENV=production \
    KAFKITO_BIND=0.0.0.0 \
    KAFKITO_HTTP_BIND=0.0.0.0 \
    KAFKITO_DATA_DIR=/data \
    KAFKITO_SEED_DIR=/seed \
    KAFKITO_STRICT_PORTS=true
USER node
VOLUME /data
EXPOSE 9092 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=5s CMD ["node", "/app/dist/cli.cjs", "health"]
ENTRYPOINT ["node", "/app/dist/cli.cjs"]
CMD ["start"]
