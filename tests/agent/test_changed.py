#!/usr/bin/python3
"""User-data that was changed on the same instance, what a plan says, and where problems are.

BOOTLACE_BUILD names the build folder.
"""

import unittest

from agent import AgentTest, EXIT_INPUT, EXIT_STEP


class Changed(AgentTest):
    def give(self, text):
        self.machine.seed(text.replace("MARK", self.mark))

    def plan(self, *options):
        done = self.machine.agent("plan", "--format", "json", *options)
        self.assert_code(done, 0)
        plan = done.json()
        return {step["name"]: (step["action"], step["reason"]) for step in plan["steps"]}, plan

    def setUp(self):
        super().setUp()
        self.machine.own_modules("runcmd", "script", "boothook", "final-message")
        self.give("#cloud-config\nruncmd: ['echo first >>MARK']\n")
        self.assert_run()
        self.assertEqual(self.marks(), ["first"])

    def change(self):
        self.give("#cloud-config\nruncmd: ['echo second >>MARK']\nfinal_message: bye\n")

    def test_a_run_goes_on_with_what_the_record_has(self):
        self.change()
        self.assert_run()
        self.machine.reboot()
        self.assert_run(0, "--boot")
        self.assertEqual(self.marks(), ["first"])
        self.assertIsNone(self.machine.step("final-message"))

    def test_a_plan_shows_what_changed(self):
        self.change()
        steps, plan = self.plan()
        self.assertEqual(steps, {
            "runcmd": ("skip", "done already for this instance, with other content; again by "
                               "--rerun changed"),
            "final-message": ("skip", "new in the changed user-data; run by --rerun changed")})
        self.assertEqual([(problem["severity"], problem["hint"]) for problem in plan["problems"]],
                         [("warning", "`bootlace run --rerun changed` does what is changed or "
                                      "new")])

    def test_what_changed_is_run_when_asked(self):
        self.change()
        self.assertEqual({name: action for name, (action, _) in
                          self.plan("--rerun", "changed")[0].items()},
                         {"runcmd": "run", "final-message": "run"})
        self.assert_run(0, "--rerun", "changed")
        self.assertEqual(self.marks(), ["first", "second"])
        self.assertEqual(self.machine.step("final-message")["status"], "done")

        with self.subTest("the new one is the record's from then on"):
            self.assertEqual(self.plan()[1]["problems"], [])
            self.machine.reboot()
            self.assert_run(0, "--boot")
            self.assert_run(0, "--rerun", "changed")
            self.assertEqual(self.marks(), ["first", "second"])

    def test_the_same_again_is_no_change(self):
        self.assertEqual(self.plan()[1]["problems"], [])
        self.assert_run(0, "--rerun", "changed")
        self.assertEqual(self.marks(), ["first"])

    def test_one_that_is_wrong_takes_nobodys_place(self):
        self.give("#cloud-config\nruncmd: 7\n")
        self.assert_run(EXIT_INPUT, "--rerun", "changed")
        self.change()
        self.machine.reboot()
        self.assert_run(0, "--boot")
        self.assertEqual(self.marks(), ["first"])

    def test_one_that_is_gone(self):
        self.machine.seed(None)
        self.assertEqual(self.plan()[0], {})
        self.assert_run(0, "--rerun", "changed")
        self.assertEqual(self.machine.status()["steps"], [])

    def test_settings_of_the_image_change_as_well(self):
        self.machine.config({"bootlace": {}, "final_message": "one"})
        self.assert_run()
        self.machine.config({"bootlace": {}, "runcmd": [f"echo image >>{self.mark}"],
                             "final_message": "two"})
        self.assertEqual(self.plan()[0]["runcmd"][0], "skip", "the user-data's counts")
        self.assertIn("other content", self.plan()[0]["final-message"][1])

    def test_a_failed_one_that_was_changed(self):
        self.give("#cloud-config\nruncmd: ['exit 3']\n")
        self.assert_run(EXIT_STEP, "--rerun", "changed")
        self.assert_run(EXIT_STEP)
        self.give("#cloud-config\nruncmd: ['echo mended >>MARK']\n")
        self.assert_run(0, "--rerun", "changed")
        self.assertEqual(self.marks(), ["first", "mended"])


class Will(AgentTest):
    def will(self, document):
        path = self.machine.put("given", document)
        plan = self.machine.agent("plan", path, "--format", "json").json()
        return {step["name"]: step["will"] for step in plan["steps"]}

    def test_what_a_step_will_do(self):
        will = self.will("""#cloud-config
hostname: web1
runcmd: [echo one, [echo, "two three"], "cat <<X\\nsecond line\\nX", d, e, f, g]
write_files:
- {path: /etc/motd, content: hello}
- {path: /etc/issue}
""")
        self.assertEqual(will["hostname"], ["hostname: web1"])
        self.assertEqual(will["runcmd"], ["runcmd: echo one, echo two three, cat <<X…, d, e, and 2 "
                                          "more"])
        self.assertEqual(will["write-files"], ["write_files: /etc/motd, /etc/issue"])

    def test_long_values_are_cut_between_characters(self):
        [line] = self.will(f"#cloud-config\nhostname: {'ä' * 100}\n").get("hostname", [""])
        self.assertEqual(line, f"hostname: {'ä' * 32}…")

    def test_secrets_are_not_shown(self):
        self.machine.own_modules()
        self.machine.add_module("vault", """#!/bin/sh
echo '{"interface": 1, "name": "vault", "version": "1", "summary": "s", "keys": ["vault"],
       "prepare": true, "schema": {"type": "object", "properties": {
           "vault": {"type": "string", "x-secret": true}}}}'
""")
        self.assertEqual(self.will("#cloud-config\nvault: hunter2\n")["vault"],
                         ["vault: (redacted)",
                          "what it needs is fetched ahead, beside the steps before it"])


class Problems(AgentTest):
    def test_where_they_are(self):
        path = self.machine.put("given", "#cloud-config\nwrite_files:\n- {path: 7}\n")
        for command in ("plan", "validate", "inspect"):
            [problem] = self.machine.agent(command, path, "--format", "json").json()["problems"]
            self.assertEqual({name: problem[name] for name in
                              ("severity", "file", "part", "line", "column", "key")},
                             {"severity": "error", "file": path, "part": "user-data", "line": 3,
                              "column": 10, "key": "write_files[0].path"}, command)

    def test_those_of_the_image(self):
        config = self.machine.put("etc/bootlace/config.d/web.yaml",
                                  "timezone: UTC\n\nlocale: 7\n")
        self.machine.seed("#!/bin/sh\n")
        [problem] = self.machine.agent("plan", "--format", "json").json()["problems"]
        self.assertEqual({name: problem[name] for name in
                          ("file", "part", "line", "column", "key")},
                         {"file": config, "part": "", "line": 3, "column": 9, "key": "locale"})


if __name__ == "__main__":
    unittest.main()
