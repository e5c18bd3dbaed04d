"""`python -m evals …`: the same as `polyphonie evals …`."""

import sys

from service.__main__ import main

if __name__ == "__main__":
    sys.argv[1:1] = ["evals"]
    main()
