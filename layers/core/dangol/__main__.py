"""`python -m dangol`, the same as the `dangol` command."""

from dangol.cli.main import main

raise SystemExit(main())
