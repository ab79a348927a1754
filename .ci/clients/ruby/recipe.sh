# Ruby: a client by openapi-generator, on Typhoeus, which comes from Debian.
language=Ruby
generator="openapi-generator $openapi_generator_version"
options=(--openapi-normalizer SECURITY_SCHEMES_FILTER=key:ApiKey --type-mappings DateTime=String)
remark='Without the first option it writes Ruby that does not run for an API key in a cookie, which is a session of a customer (https://github.com/OpenAPITools/openapi-generator/issues/6959); the client knows the key of a partner only. Without the second it compares the length of a timestamp with that of a Time as text, as PHP did (https://github.com/OpenAPITools/openapi-generator/issues/24229); timestamps are strings. ApiError has the problem as text.'
debian=('command -v mvn' maven 'command -v ruby' ruby "ruby -e 'require \"typhoeus\"'" ruby-typhoeus)

get_generator() { get_openapi_generator; }

generate() {
  openapi_generator -g ruby "${options[@]}"
}

get_runtime() { :; }

toolchain() { ruby -r typhoeus -e 'puts "Ruby #{RUBY_VERSION}, Typhoeus #{Typhoeus::VERSION}"'; }

compile() {
  ruby -w -I client/lib -e 'require "openapi_client"' # loads every file of it
  ruby -wc "$here/$client/scenario.rb"
}

scenario() { steps ruby -I client/lib "$here/$client/scenario.rb"; }
