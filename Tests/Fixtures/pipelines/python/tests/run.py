"""Runs the tests and writes a JUnit report, with nothing but the standard library."""

import sys
import time
import unittest
from pathlib import Path
from xml.sax.saxutils import escape, quoteattr


class Result(unittest.TextTestResult):
    def __init__(self, *arguments, **names):
        super().__init__(*arguments, **names)
        self.cases = []

    def startTest(self, test):
        super().startTest(test)
        self.began, self.body = time.monotonic(), ""

    def addFailure(self, test, error):
        super().addFailure(test, error)
        self.body = f"<failure>{escape(self._exc_info_to_string(error, test))}</failure>"

    def addError(self, test, error):
        super().addError(test, error)
        self.body = f"<error>{escape(self._exc_info_to_string(error, test))}</error>"

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        self.body = f"<skipped message={quoteattr(reason)}/>"

    def stopTest(self, test):
        super().stopTest(test)
        kind, name = test.id().rsplit(".", 1)
        spent = time.monotonic() - self.began
        self.cases.append(
            f"<testcase classname={quoteattr(kind)} name={quoteattr(name)} time='{spent:.3f}'>{self.body}</testcase>"
        )


tests = unittest.defaultTestLoader.discover(str(Path(__file__).parent))
result = unittest.TextTestRunner(verbosity=2, resultclass=Result).run(tests)
Path(sys.argv[1]).write_text(
    f"<testsuite name='ledger' tests='{result.testsRun}'>{''.join(result.cases)}</testsuite>", encoding="utf-8"
)
sys.exit(0 if result.wasSuccessful() else 1)
