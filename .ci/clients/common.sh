# What the recipes have in common. A recipe says
#
#   language, generator   what it is, with the generator's version
#   options               those that differ from the generator's defaults
#   remark                why, and what else a partner should know
#   debian                checks, each followed by the packages to install if it fails
#   get_generator         brings the generator here; its log is not looked at
#   generate              writes the client to client/
#   get_runtime           brings here what the client and the scenario need
#   toolchain             names the compiler and the libraries, with their versions
#   compile               compiles the client, and the scenario against it
#   scenario              runs it: `steps` compares what it says
#
# and runs in a folder of its own, as told in run.

contract=$root/openapi.yaml
cache=${XDG_CACHE_HOME:-$HOME/.cache}/escrow-ci/clients
openapi_generator_version=7.25.0
maven_dependency_plugin=org.apache.maven.plugins:maven-dependency-plugin:3.8.1

version_of_contract() { sed -n 's/^  version: *//p' "$contract" | head -1; }

# install_missing CLIENT...: installs from Debian what a machine with the bare
# toolchains of Go, Node, Python, Java and Rust lacks.
install_missing() {
  local missing
  missing=$(
    for client; do
      # shellcheck source=/dev/null
      source "$here/$client/recipe.sh"
      for ((i = 0; i + 1 < ${#debian[@]}; i += 2)); do
        (eval "${debian[i]}") >/dev/null 2>&1 || echo "${debian[i + 1]}"
      done
    done | tr ' ' '\n' | sort -u
  )
  [[ -n $missing ]] || return 0
  # shellcheck disable=SC2086
  { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing; } \
    >"$work/apt.log" 2>&1 || { cat "$work/apt.log" >&2; return 1; }
}

# cached NAME FILE...: the folder of the cache for what these files ask for.
cached() {
  local name=$1
  shift
  echo "$cache/$name-$(cat "$@" | sha256sum | head -c 12)"
}

# once FOLDER COMMAND...: fills a folder of the cache, if that was not done yet.
once() {
  local at=$1
  shift
  mkdir -p "$at"
  (
    flock 9
    [[ -e $at/complete ]] && exit
    "$@" && touch "$at/complete"
  ) 9>"$at/lock"
}

# --- openapi-generator, which is written in Java

get_openapi_generator() {
  once "$cache/openapi-generator-$openapi_generator_version" mvn -q -B "$maven_dependency_plugin:copy" \
    -DoutputDirectory="$cache/openapi-generator-$openapi_generator_version" \
    -Dartifact="org.openapitools:openapi-generator-cli:$openapi_generator_version"
}

openapi_generator() {
  java -jar "$cache/openapi-generator-$openapi_generator_version/openapi-generator-cli-$openapi_generator_version.jar" \
    generate -i "$contract" -o client "$@"
}

# --- Node

# npm_install: links the packages of the folder's package.json. A generator that
# looks for a tsconfig.json looks next to them.
npm_install() {
  local at
  at=$(cached "npm-$(node --version)" package.json tsconfig.json)
  once "$at" npm_install_into "$at"
  ln -sfn "$at/node_modules" node_modules
}

npm_install_into() {
  cp package.json tsconfig.json "$1/"
  npm install --prefix "$1" --no-package-lock --ignore-scripts --no-audit --no-fund
}

# npm_version PACKAGE: its version as package.json asks for it.
npm_version() { sed -n 's|.*"'"$1"'": "\(.*\)".*|\1|p' "$here/$client/package.json"; }

# --- Python

# pip_install: makes the environment that requirements.txt asks for, sets pip_env.
pip_install() {
  local requirements=$here/$client/requirements.txt
  pip_env=$(cached "python-$(python3 -c 'import platform; print(platform.python_version())')" "$requirements")
  once "$pip_env" pip_install_into "$pip_env" "$requirements"
}

pip_install_into() {
  python3 -m venv "$1"
  "$1/bin/pip" install --quiet --disable-pip-version-check -r "$2"
}

# pip_install_client: installs the client as a package, on top of that environment.
pip_install_client() {
  python3 -m venv --without-pip venv
  "$pip_env/bin/python" -c 'import site; print(site.getsitepackages()[0])' >"$(venv/bin/python -c 'import site; print(site.getsitepackages()[0])')/cached.pth"
  "$pip_env/bin/pip" --python venv/bin/python install --quiet --disable-pip-version-check --no-deps --no-build-isolation ./client
}

pip_version() { sed -n "s/^$1==//p" "$here/$client/requirements.txt"; }

# --- the scenario

# steps COMMAND...: runs a scenario, and compares the steps that it did.
steps() {
  timeout 120 "$@" >scenario.txt
  diff "$here/steps.txt" scenario.txt
}
