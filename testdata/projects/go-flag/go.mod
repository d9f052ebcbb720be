module example.com/tools/collatz

go 1.26
