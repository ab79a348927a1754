# Python: a client by openapi-python-client, on httpx.
language=Python
generator="openapi-python-client $(pip_version openapi-python-client)"
options=()
remark=''
debian=("python3 -c 'import ensurepip'" python3-venv)

get_generator() { pip_install; }

generate() {
  # It formats what it writes with ruff, which it looks for on the PATH.
  RUFF_NO_CACHE=true PATH=$pip_env/bin:$PATH openapi-python-client generate --path "$contract" --output-path client
}

get_runtime() { :; }

toolchain() { echo "$(python3 --version), httpx $(pip_version httpx), mypy $(pip_version mypy)"; }

compile() {
  pip_install_client
  "$pip_env/bin/mypy" --strict --python-executable venv/bin/python --cache-dir "$pip_env/mypy" "$here/$client/scenario.py"
}

scenario() { steps venv/bin/python -W default -B "$here/$client/scenario.py"; }
