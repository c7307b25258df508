"""``python -m stellarcr.cli``, where the ``stellarcr`` script is not on the path."""

from . import main

if __name__ == "__main__":
    main()
