# PHP: a client by openapi-generator, on Guzzle, which comes from Debian and
# spares a package manager.
language=PHP
generator="openapi-generator $openapi_generator_version"
options=()
remark='A union is generated as one class that has the properties of all its branches (https://github.com/OpenAPITools/openapi-generator/issues/2011); the classes of the branches are accepted too, and are what the scenario uses.'
debian=('command -v mvn' maven
  'command -v php' php-cli
  "php -r 'exit(extension_loaded(\"curl\") ? 0 : 1);'" php-curl
  "php -r 'exit(extension_loaded(\"mbstring\") ? 0 : 1);'" php-mbstring
  "php -r 'exit(stream_resolve_include_path(\"GuzzleHttp/autoload.php\") ? 0 : 1);'" php-guzzlehttp-guzzle)
strict=(-d error_reporting=-1 -d display_errors=stderr -d log_errors=0)

get_generator() { get_openapi_generator; }

generate() { openapi_generator -g php; }

get_runtime() { :; }

toolchain() {
  php -r 'require "GuzzleHttp/autoload.php"; printf("PHP %s, Guzzle %s", PHP_VERSION, GuzzleHttp\ClientInterface::MAJOR_VERSION);'
  dpkg-query -W -f ' (${Version})\n' php-guzzlehttp-guzzle
}

compile() {
  find client/lib -name '*.php' -print0 | xargs -0 -n 1 -P 2 php "${strict[@]}" -l
  php "${strict[@]}" -l "$here/$client/scenario.php"
}

scenario() { CLIENT=$PWD/client steps php "${strict[@]}" "$here/$client/scenario.php"; }
