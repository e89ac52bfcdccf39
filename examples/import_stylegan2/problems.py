# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The one error of this program."""


class BadFile(Exception):
    """The file cannot be imported; the text is one sentence that says why."""
