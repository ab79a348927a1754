# TypeScript: a client by hey-api, which brings its own requests with fetch. It
# takes from tsconfig.json how modules are imported. Its package asks for Node
# 22.18, and works with Node 20 too.
language=TypeScript
generator="@hey-api/openapi-ts $(npm_version @hey-api/openapi-ts)"
options=()
remark=''
debian=()

get_generator() {
  cp "$here/$client"/{package.json,tsconfig.json,scenario.ts} .
  npm_install
}

generate() { node_modules/.bin/openapi-ts -i "$contract" -o client --no-log-file; }

get_runtime() { :; }

toolchain() { echo "Node $(node --version), TypeScript $(npm_version typescript)"; }

compile() { node_modules/.bin/tsc -p .; }

scenario() { steps node out/scenario.js; }
