# Go: package gen of this repository, by oapi-codegen, as a module of its own.
language=Go
generator="oapi-codegen $(cd "$root" && go list -m -f '{{.Version}}' github.com/oapi-codegen/oapi-codegen/v2)"
options=(-config oapi-codegen.yaml)
remark='This is package gen of the repository, as a module of its own. Each status has its field for the problem.'
debian=()

get_generator() { (cd "$root" && go build -o "$work/$client/oapi-codegen" github.com/oapi-codegen/oapi-codegen/v2/cmd/oapi-codegen); }

generate() {
  mkdir -p client/gen/scalar
  cp "$root"/gen/generate.go client/gen/
  cp "$root"/gen/scalar/scalar.go client/gen/scalar/
  cp "$root"/go.mod "$root"/go.sum client/
  (
    cd client/gen
    ../../oapi-codegen -config "$root/oapi-codegen.yaml" "$contract"
    cmp api.gen.go "$root/gen/api.gen.go"
    go mod edit -droptool github.com/oapi-codegen/oapi-codegen/v2/cmd/oapi-codegen
    go mod tidy
  )
}

get_runtime() { :; }

toolchain() { go env GOVERSION; }

compile() {
  mkdir scenario
  cp "$here/$client/scenario.go" scenario/
  (cd scenario && go mod init example.com/scenario && go mod edit -go "$(cd ../client && go list -m -f '{{.GoVersion}}')")
  go work init ./client ./scenario
  go vet ./client/... ./scenario/...
  go build -o escrow-client-scenario ./scenario
}

scenario() { steps ./escrow-client-scenario; }
