# For habit: everything is in ./dev, which needs no make.
.PHONY: all build run test bench check clean
all: build
build run test bench check clean:
	@./dev $@
