package client

import "testing"

func TestOperationIs(t *testing.T) {
	t.Parallel()
	tests := []struct {
		operation    operation
		method, path string
		want         bool
	}{
		{operation{"POST", "/a/b"}, "POST", "/a/b", true},
		{operation{"POST", "/a/b"}, "PUT", "/a/b", false},
		{operation{"POST", "/a/b"}, "POST", "/a/b/", false},
		{operation{"POST", "/a/b"}, "POST", "/a", false},
		{operation{"POST", "/a/b"}, "POST", "a/b", false},
		{operation{"POST", "/a/{id}/b"}, "POST", "/a/7/b", true},
		{operation{"POST", "/a/{id}/b"}, "POST", "/a/7/c", false},
	}
	for _, test := range tests {
		if got := test.operation.is(test.method, test.path); got != test.want {
			t.Errorf("%v, %s %s: %t", test.operation, test.method, test.path, got)
		}
	}
}
