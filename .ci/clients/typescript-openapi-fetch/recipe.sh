# TypeScript: types by openapi-typescript, requests by openapi-fetch.
language=TypeScript
generator="openapi-typescript $(npm_version openapi-typescript)"
options=()
remark=''
debian=()

get_generator() {
  cp "$here/$client"/{package.json,tsconfig.json,scenario.ts} .
  npm_install
}

generate() { node_modules/.bin/openapi-typescript "$contract" -o client/api.d.ts; }

get_runtime() { :; }

toolchain() { echo "Node $(node --version), TypeScript $(npm_version typescript), openapi-fetch $(npm_version openapi-fetch)"; }

compile() { node_modules/.bin/tsc -p .; }

scenario() { steps node out/scenario.js; }
