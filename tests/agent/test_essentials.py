#!/usr/bin/python3
"""What an image owes its people, whatever becomes of the user-data: modules that call themselves
essential, and the stage before the user-data is asked for.

BOOTLACE_BUILD names the build folder. The modules are the tests' own alone.
"""

import json
import os
import shutil
import unittest

from agent import (EXIT_INPUT, EXIT_SOURCE, EXIT_STEP, EXIT_USAGE, STATE, AgentTest, said,
                   shell_module)

BROKEN = "#cloud-config\nname: [a, b\n"
SCRIPT = "#!/bin/sh\necho script >>{mark}\n"


class EssentialsTest(AgentTest):
    def setUp(self):
        super().setUp()
        self.machine.own_modules("script")
        self.settings()
        self.machine.seed()

    def settings(self, essentials=True, **keys):
        self.machine.config({"bootlace": {"essentials": essentials}, **keys})

    def add(self, name, run=None, **description):
        """A module that notes its stage and the value of its key `name`."""
        note = (f"""python3 -c 'import json, sys; given = json.load(sys.stdin); """
                f"""print("{name}", given["stage"], given["settings"].get("{name}"))' """
                f""">>{self.mark}; {run or said("changed")}""")
        self.machine.add_module(name, shell_module(name, note, **description))

    def script(self):
        self.machine.seed(SCRIPT.format(mark=self.mark))

    def steps(self):
        return [(step["name"], step["status"]) for step in self.machine.status()["steps"]]


class Essential(EssentialsTest):
    def test_a_step_without_any_key(self):
        self.add("host", essential=True)
        self.add("other")
        self.assert_run()
        self.assertEqual(self.marks(), ["host main None"])
        self.assertEqual(self.machine.status()["message"], "no user-data: nothing to do")

    def test_the_users_settings_where_there_are_any(self):
        self.add("host", essential=True)
        self.settings(host="image")
        self.machine.seed('{"host": "user"}')
        self.assert_run()
        self.assertEqual(self.marks(), ["host main user"])

    def test_user_data_that_is_refused(self):
        self.add("host", essential=True, order=300)
        self.add("other", order=100)
        self.settings(host="image", other="image")
        for user_data in (BROKEN, "#part-handler\n", b"\x00\x01\x02", "{}\n[]\n"):
            with self.subTest(user_data):
                shutil.rmtree(self.machine.path(f"{STATE}/instances"), ignore_errors=True)
                if os.path.exists(self.mark):
                    os.unlink(self.mark)
                self.machine.seed(user_data)
                self.assert_run(EXIT_INPUT)
                self.assertEqual(self.marks(), ["host main image"])
                self.assertEqual(self.steps(), [("host", "done")])
                status = self.machine.status()
                self.assertEqual(status["exit_code"], EXIT_INPUT)
                self.assertIn("nothing of it was run", status["message"])

    def test_one_of_its_settings_is_refused(self):
        """The user's own are left out, not those of the image."""
        self.add("host", essential=True, schema={"properties": {"host": {"type": "string"}}})
        self.settings(host="image")
        self.machine.seed('{"host": 5}')
        self.assert_run(EXIT_INPUT)
        self.assertEqual(self.marks(), ["host main image"])

    def test_a_later_step_fails(self):
        self.add("host", essential=True, order=10)
        self.machine.seed("#!/bin/sh\nexit 3\n")
        self.assert_run(EXIT_STEP)
        self.assertEqual(self.steps(), [("host", "done"), ("user-data", "failed")])

    def test_it_fails_itself(self):
        self.add("host", said("failed", message="no"), essential=True, order=10)
        self.script()
        self.assert_run(EXIT_STEP)
        self.assertEqual(self.marks(), ["host main None", "script"])

    def test_none_is_owed(self):
        self.add("host", essential=True)
        self.add("keys", stage="instance", essential=True)
        with self.subTest("settings say so"):
            self.settings(essentials=False)
            self.assert_run()
        with self.subTest("a trial"):
            self.machine.config({})
            self.assert_run()
        with self.subTest("a file by hand"):
            self.settings()
            file = self.machine.put("by-hand", SCRIPT.format(mark=self.mark))
            self.assert_run(0, "--user-data", file)
            self.assertEqual(self.marks(), ["script"])
        with self.subTest("but its keys are set"):
            self.machine.config({"host": "image"})
            self.assert_run()
            self.assertEqual(self.marks(), ["script", "host main image"])

    def test_wrong_setting(self):
        self.machine.config({"bootlace": {"essentials": "no"}})
        outcome = self.assert_run(EXIT_INPUT)
        self.assertIn("bootlace.essentials: is neither true nor false", outcome.err)

    def test_no_source(self):
        self.add("host", essential=True)
        shutil.rmtree(self.machine.path(f"{STATE}/seed"))
        self.assert_run(EXIT_SOURCE)
        self.assertEqual(self.marks(), [])


class Instance(EssentialsTest):
    """The stage between the source's answer and the user-data."""

    def test_it_comes_first_with_the_images_settings(self):
        self.add("keys", stage="instance", order=999)
        self.add("host", order=1)
        self.settings(keys="image")
        self.machine.seed('{"keys": "user", "host": "user"}')
        self.assert_run()
        self.assertEqual(self.marks(), ["keys instance image", "host main user"])
        self.assertEqual(self.steps(), [("keys", "done"), ("host", "done")])

    def test_user_data_that_is_refused(self):
        self.add("keys", stage="instance", essential=True)
        self.add("host", essential=True)
        self.machine.seed(BROKEN)
        self.assert_run(EXIT_INPUT)
        self.assertEqual(self.marks(), ["keys instance None", "host main None"])
        self.assertEqual(self.steps(), [("keys", "done"), ("host", "done")])

    def test_it_is_there_while_a_script_runs(self):
        self.add("keys", stage="instance", essential=True)
        self.machine.seed(f"#!/bin/sh\necho script >>{self.mark}\n"
                          f"while [ ! -e {self.mark}.go ]; do sleep 0.02; done\n")
        process = self.start("run")
        self.wait_for_mark(2)
        self.assertEqual(self.steps(), [("keys", "done"), ("user-data", "running")])
        with open(f"{self.mark}.go", "w", encoding="utf-8"):
            pass
        self.assertEqual(process.wait(), 0)

    def test_once_for_an_instance(self):
        self.add("keys", stage="instance", essential=True)
        self.script()
        self.assert_run()
        self.assert_run()
        self.machine.reboot()
        self.assert_run()
        self.assertEqual(self.marks(), ["keys instance None", "script"])
        self.assertEqual(self.steps(), [("keys", "done"), ("user-data", "done")])
        self.machine.seed(instance_id="i-2")
        self.assert_run()
        self.assertEqual(self.marks()[2:], ["keys instance None"])

    def test_a_failure_costs_nothing_else_and_is_tried_again(self):
        self.add("keys", f"[ -e {self.mark}.well ] && {said('changed')} || "
                 + said("failed", message="no"), stage="instance", essential=True, repeatable=True)
        self.script()
        self.assert_run(EXIT_STEP)
        self.assertEqual(self.marks(), ["keys instance None", "script"])
        with open(f"{self.mark}.well", "w", encoding="utf-8"):
            pass
        self.assert_run()
        self.assertEqual(self.marks(), ["keys instance None", "script", "keys instance None"])
        self.assertEqual(self.steps(), [("keys", "done"), ("user-data", "done")])

    def test_again_by_its_name(self):
        self.add("keys", stage="instance", essential=True)
        self.script()
        self.assert_run()
        self.assert_run(0, "--rerun", "keys")
        self.assert_run(0, "--rerun", "user-data")
        self.assertEqual(self.marks(), ["keys instance None", "script", "keys instance None",
                                        "script"])
        self.assert_run(EXIT_USAGE, "--rerun", "nothing")

    def test_plan_and_dry_run_show_it(self):
        self.add("keys", stage="instance", essential=True)
        self.script()
        plan = self.machine.agent("plan", "--format", "json").json()
        self.assertEqual([(step["name"], step["action"]) for step in plan["steps"]],
                         [("keys", "run"), ("user-data", "run")])
        outcome = self.assert_run(0, "--dry-run")
        self.assertRegex(outcome.text, "(?s)run   keys .*run   user-data ")
        self.assertEqual(self.marks(), ["keys instance None"])
        self.assertFalse(self.machine.exists(self.machine.record()))

    def test_it_is_no_place_for_a_restart(self):
        self.add("keys", said("changed", reboot=True), stage="instance", essential=True)
        self.script()
        self.machine.put("bin/systemctl", f"#!/bin/sh\necho $* >>{self.mark}\n", 0o755)
        self.machine.variables["PATH"] = f"{self.machine.path('bin')}:{os.environ['PATH']}"
        self.machine.config({"bootlace": {"essentials": True, "network_wait": 0}})
        self.assert_run(0, "--boot")
        self.assertEqual(self.marks()[:2], ["keys instance None", "script"])
        self.assertNotIn("reboot", " ".join(self.marks()))


class AlsoEarly(EssentialsTest):
    def test_a_step_in_both_stages(self):
        self.add("host", essential=True, also_early=True, frequency="per-boot")
        self.add("other", essential=True)
        self.script()
        self.assert_run(0, "--early")
        self.assertEqual(self.marks(), ["host early None"])
        self.assert_run()
        self.assertEqual(self.marks(), ["host early None", "host main None", "other main None",
                                        "script"])

    def test_recorded_metadata_and_the_images_settings(self):
        name = "host"
        note = f"cat >>{self.mark}; echo >>{self.mark}; {said('changed')}"
        self.machine.add_module(name, shell_module(name, note, essential=True, also_early=True,
                                                   frequency="per-boot"))
        self.settings(host="image")
        self.machine.seed('{"host": "user"}', **{"local-hostname": "ip-10-0-0-1"})
        self.assert_run(0, "--early")
        self.assert_run()
        self.assert_run(0, "--early", "--rerun", "host")
        given = [json.loads(line) for line in self.marks() if line]
        self.assertEqual([line["settings"]["host"] for line in given], ["image", "user", "image"])
        self.assertEqual(given[0]["metadata"], {})
        self.assertEqual(given[2]["metadata"]["instance-id"], "i-1")
        self.assertEqual(given[2]["metadata"]["local-hostname"], "ip-10-0-0-1")


if __name__ == "__main__":
    unittest.main()
