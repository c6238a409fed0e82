"""`python -m selfedit` is `selfedit`."""

from selfedit.cli.main import main

if __name__ == "__main__":
    main()
