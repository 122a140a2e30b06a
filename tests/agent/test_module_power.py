#!/usr/bin/python3
"""power: what shutdown(8) is asked, by an executable of that name that writes it down.

BOOTLACE_BUILD names the build folder. A real restart is in tests/boot/test_restart.py.
"""

import os
import unittest

from agent import AgentTest, EXIT_INPUT, STANDARD_PATH
from module_call import ModuleTest
from test_manual import Page


class Power(ModuleTest):
    module = "power"
    tree_is_all = False

    def setUp(self):
        super().setUp()
        self.asked = os.path.join(self.work, "asked")
        self.program("shutdown", f'printf "<%s>" "$@" >>{self.asked}; exit "${{CODE:-0}}"\n')

    def assert_asks(self, words, state, **how):
        """It is done, and shutdown was given these words; None: it was not called."""
        called = self.assert_called("changed" if words else "unchanged", {"power_state": state},
                                    **how)
        self.assertEqual(self.what_was_asked(), words and "".join(f"<{word}>" for word in words))
        return called

    def what_was_asked(self):
        if not os.path.exists(self.asked):
            return None
        with open(self.asked, encoding="utf-8") as text:
            asked = text.read()
        os.remove(self.asked)
        return asked

    def test_modes(self):
        for mode, option in (("reboot", "-r"), ("poweroff", "-P"), ("halt", "-H")):
            called = self.assert_asks([option, "now"], {"mode": mode})
            self.assertEqual(called.message, f"{mode}: now")

    def test_delays(self):
        for delay, word in (("now", "now"), ("+5", "+5"), ("5", "+5"), (5, "+5"), (0, "now"),
                            ("+0", "now"), ("007", "+007")):
            with self.subTest(delay):
                self.assert_asks(["-r", word], {"mode": "reboot", "delay": delay})

    def test_a_message_is_one_word(self):
        self.assert_asks(["-P", "now", "Bye; $(reboot) 'all'"],
                         {"mode": "poweroff", "message": "Bye; $(reboot) 'all'"})

    def test_conditions_that_hold(self):
        for condition in (True, None, "true", "test 1 -lt 2", ["test", "a b", "=", "a b"]):
            with self.subTest(condition):
                self.assert_asks(["-r", "now"], {"mode": "reboot", "condition": condition})

    def test_conditions_that_do_not(self):
        for condition in (False, "false", "exit 7", ["test", "a", "=", "b"]):
            with self.subTest(condition):
                called = self.assert_asks(None, {"mode": "reboot", "condition": condition})
                self.assertIn("does not hold", called.message)

    def test_a_condition_that_is_no_command(self):
        self.assert_fails("condition cannot be run",
                          {"power_state": {"mode": "halt", "condition": ["/no/such/program"]}})
        self.assertIsNone(self.what_was_asked())

    def test_shutdown_refuses(self):
        called = self.assert_fails("refused: it ended with exit code 3",
                                   {"power_state": {"mode": "halt"}}, variables={"CODE": "3"})
        self.assertEqual(called.result["exit_code"], 3)

    def test_dry_run_asks_nobody(self):
        called = self.assert_called("changed", {"power_state": {"mode": "reboot",
                                                                "condition": "exit 1"}},
                                    dry_run=True)
        self.assertIn("would run: shutdown -r now", called.log)
        self.assertIsNone(self.what_was_asked())

    def test_modes_that_are_none(self):
        for mode in ("restart", "", None):
            self.assert_fails("neither reboot, poweroff nor halt", {"power_state": {"mode": mode}})

    def test_examples_of_the_page(self):
        page = Page("bootlace-power.7")
        called = self.assert_called("changed", page.block("example: poweroff"))
        self.assertEqual(called.message, "poweroff: now")
        self.assertEqual(self.what_was_asked(), "<-P><now><The work is done.>")
        called = self.assert_called("unchanged", page.block("example: condition"))
        self.assertIsNone(self.what_was_asked())


class Schema(AgentTest):
    def test_values_that_are_wrong(self):
        for state, words in (({"mode": "off"}, "mode"), ({"delay": "now"}, "mode"),
                             ({"mode": "halt", "delay": "soon"}, "delay"),
                             ({"mode": "halt", "delay": -1}, "delay")):
            self.machine.put("user-data", f"#cloud-config\npower_state: {state}\n")
            done = self.machine.agent("validate", self.machine.path("user-data"))
            self.assert_code(done, EXIT_INPUT)
            self.assertIn("power_state", done.text + done.err)
            self.assertIn(words, done.text + done.err)


class LastOfAll(AgentTest):
    def test_a_failed_step_keeps_it_not(self):
        programs = os.path.join(self.work, "bin")
        os.mkdir(programs)
        path = os.path.join(programs, "shutdown")
        with open(path, "w", encoding="utf-8") as out:
            out.write(f'#!/bin/sh\necho "$*" >>{self.mark}\n')
        os.chmod(path, 0o755)
        self.machine.variables["PATH"] = f"{programs}:{STANDARD_PATH}"
        self.machine.seed("#cloud-config\npower_state: {mode: poweroff}\nruncmd: [exit 4]\n")
        self.assert_run(1)
        self.assertEqual([step["name"] for step in self.machine.status()["steps"]],
                         ["runcmd", "power"])
        self.assertEqual(self.marks(), ["-P now"])
        self.assert_run(1)
        self.assertEqual(self.marks(), ["-P now"], "once for an instance")


if __name__ == "__main__":
    unittest.main()
