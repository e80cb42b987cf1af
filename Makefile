# Each target is `python3 -m tasks NAME`, for machines without make.
.PHONY: install assets demo test check

install assets demo test check:
	@python3 -m tasks $@
