# Ruby: a client by openapi-generator, on Typhoeus, which comes from Debian. Its
# defaults do not work with the contract, twice:
#   - for an API key in a cookie, which is a customer's session, it writes Ruby
#     that does not run (https://github.com/OpenAPITools/openapi-generator/issues/6959):
#     it is told to know the partner's key only;
#   - it compares the length of a timestamp with that of Ruby's Time as text (PHP
#     did likewise: https://github.com/OpenAPITools/openapi-generator/issues/24229):
#     it is told to leave timestamps as they come.
language=Ruby
generator="openapi-generator $openapi_generator_version"
options=(--openapi-normalizer SECURITY_SCHEMES_FILTER=key:ApiKey --type-mappings DateTime=String)
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
