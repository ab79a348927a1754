# Rust: a client by openapi-generator, on reqwest and serde.
language=Rust
generator="openapi-generator $openapi_generator_version"
options=(--additional-properties=supportMiddleware=true)
remark='With its defaults a disbursement method cannot be sent: the generated union writes the property type twice (https://github.com/OpenAPITools/openapi-generator/issues/22018), which the service refuses. With a middleware it can, as the scenario shows.'
debian=('command -v mvn' maven 'command -v cc' 'gcc libc6-dev') # rustc links with cc

get_generator() { get_openapi_generator; }

generate() { openapi_generator -g rust "${options[@]}"; }

get_runtime() { :; }

toolchain() { rustc --version | cut -d ' ' -f 1,2; }

# The dependencies are compiled once; which they are is kept with them.
compile() {
  local at
  at=$(cached "rust-$(rustc --version | cut -d ' ' -f 2)" "$here/rust/Cargo.toml")
  mkdir -p "$at"
  cp -r "$here/rust" scenario
  (
    flock 9
    [[ ! -f $at/Cargo.lock ]] || cp "$at/Cargo.lock" scenario/
    cd scenario
    export CARGO_TARGET_DIR=$at/target CARGO_TERM_COLOR=never CARGO_INCREMENTAL=0
    cargo build
    cp Cargo.lock "$at/"
    cp "$at/target/debug/escrow-client-scenario" ../escrow-client-scenario
    cargo clean --quiet -p openapi -p escrow-client-scenario
  ) 9>"$at/lock"
}

scenario() { steps ./escrow-client-scenario; }
