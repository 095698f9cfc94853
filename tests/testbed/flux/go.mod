module testbed/flux

go 1.26.8

require github.com/fluxcd/flux2/v2 v2.9.5
