# Python: a client by openapi-generator, on urllib3 and pydantic.
language=Python
generator="openapi-generator $openapi_generator_version"
options=()
remark='ApiException.data is the Problem.'
debian=('command -v mvn' maven "python3 -c 'import ensurepip'" python3-venv)

get_generator() { get_openapi_generator; }

generate() { openapi_generator -g python; }

get_runtime() { pip_install; }

toolchain() { echo "$(python3 --version), urllib3 $(pip_version urllib3), pydantic $(pip_version pydantic), mypy $(pip_version mypy)"; }

compile() {
  pip_install_client
  "$pip_env/bin/mypy" --strict --python-executable venv/bin/python --cache-dir "$pip_env/mypy" "$here/$client/scenario.py"
}

scenario() { steps venv/bin/python -W default -B "$here/$client/scenario.py"; }
