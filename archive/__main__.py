"""`python -m archive` is the `fangzhi` command, for a checkout whose scripts are not on the path."""

from archive.cli import main

if __name__ == "__main__":
    main(prog_name="fangzhi")
