module github.com/authctl/authctl/test/serve

go 1.26
