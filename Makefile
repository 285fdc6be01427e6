# A thin alias: `make COMMAND NAME=x` is `python3 -m lib COMMAND x`, which works without make, on Windows too (`py -m lib`).
.DEFAULT_GOAL := book
PYTHON ?= python3
LIB := $(PYTHON) -m lib

.PHONY: setup book serve chapter lab run new site test test-long sample bench clean print lock edition
setup book serve chapter lab run site test test-long sample bench clean print lock:
	@$(LIB) $@ $(NAME) $(LOCKFLAGS)

new:
	@$(LIB) new "$(NAME)" --prefix "$(PREFIX)" --text "$(TEXT)"

# Nothing is released before the last line, which may be reached at a second try: what stands before it can be done again.
edition:
	@SOURCE_DATE_EPOCH=$$(date +%s) $(LIB) edition $(VERSION)
	@$(LIB) test
	@CITABLE_EDITION=$(VERSION) $(LIB) print
	@$(LIB) edition $(VERSION) --freeze

.venv/.%: FORCE
	@$(LIB) setup --$*
FORCE:
