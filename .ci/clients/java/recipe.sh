# Java: a client by openapi-generator, on java.net.http and Jackson.
language=Java
generator="openapi-generator $openapi_generator_version"
options=(--library native)
remark='Of the HTTP clients to choose from, native needs no library but the JDK. ApiException has the problem as text, which ApiClient.getObjectMapper() reads. Constants of numbers have the names of x-enum-varnames: StatusEnum.Active.'
debian=('command -v mvn' maven)

get_generator() { get_openapi_generator; }

generate() { openapi_generator -g java "${options[@]}"; }

get_runtime() { :; }

toolchain() { echo "$(javac -version 2>&1 | sed 's/^javac/JDK/'), $(mvn -B -v 2>/dev/null | sed -n '1s/.*Apache \(Maven [0-9.]*\).*/\1/p')"; }

compile() {
  (cd client && mvn -B -ntp -Dmaven.compiler.showWarnings=true -Dmaven.compiler.showDeprecation=true \
    compile "$maven_dependency_plugin:build-classpath" -Dmdep.outputFile="$PWD/../classpath.txt")
  javac -Xlint:all -d scenario -cp "client/target/classes:$(<classpath.txt)" "$here/$client/Scenario.java"
}

scenario() { steps java -cp "scenario:client/target/classes:$(<classpath.txt)" Scenario; }
