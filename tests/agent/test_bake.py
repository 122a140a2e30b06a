#!/usr/bin/python3
"""bake: what can be done in an image is done there once, its instances do the rest and what is
different, and all of it is one configuration.

BOOTLACE_BUILD names the build folder. The image is the machine of paper itself: it is baked below
--root, and then boots. Its modules are the test's own, and note what they were given.
"""

import json
import os
import unittest

from agent import AgentTest, EXIT_INPUT, EXIT_STEP, EXIT_USAGE, STATE, said, shell_module

BAKED = f"{STATE}/baked"


class Bake(AgentTest):
    def setUp(self):
        super().setUp()
        self.machine.own_modules("script")
        self.machine.config({})
        self.module("things", order=100, bakeable=True, by_item=True, keys=["things", "option"])
        self.module("whole", order=200, bakeable=True, keys=["whole", "list"])
        self.module("late", order=300, keys=["late"])

    def module(self, name, run=said("changed"), **description):
        """One that notes its input as a line; `late` is none that can be baked."""
        description.setdefault("repeatable", True)
        self.machine.add_module(name, shell_module(
            name, f"printf '{name} ' >>{self.mark}; cat >>{self.mark}; "
            f"echo >>{self.mark}; {run}", **description))

    def took(self):
        """What the modules were given since the last time: a list of (module, settings)."""
        taken = self.told()
        return [(name, given["settings"]) for name, given in taken]

    def told(self):
        lines = [line for line in self.marks() if line]
        if os.path.exists(self.mark):
            os.remove(self.mark)
        return [(line.split(" ", 1)[0], json.loads(line.split(" ", 1)[1])) for line in lines]

    def bake(self, given=None, code=0, *options, name="common.yaml"):
        if given is not None:
            text = given if isinstance(given, str) else "#cloud-config\n" + json.dumps(given)
            options += ("--user-data", self.machine.put(name, text))
        done = self.machine.agent("bake", "--root", self.machine.root, *options, "--format",
                                  "json")
        self.assert_code(done, code)
        return done.json() if done.out else None

    def launch(self, given=None, instance_id="i-1", code=0, *options):
        self.machine.reboot()
        if given is not None and not isinstance(given, str):
            given = "#cloud-config\n" + json.dumps(given)
        self.machine.seed(given, instance_id)
        plan = self.machine.agent("plan", "--format", "json").json()
        self.plan = {step["name"]: (step["action"], step["reason"]) for step in plan["steps"]}
        return self.assert_run(code, *options)

    # ---- what is done, and what is left ----

    def test_what_can_be_baked_is_and_the_rest_is_left(self):
        status = self.bake({"things": ["a"], "whole": {"x": 1}, "late": True})
        self.assertEqual(self.took(), [("things", {"things": ["a"]}),
                                       ("whole", {"whole": {"x": 1}})])
        self.assertEqual(status["message"], "2 of 3 steps baked, 1 left for the launch")
        self.launch()
        self.assertEqual(self.took(), [("late", {"late": True})])
        self.assertEqual(self.plan, {
            "things": ("baked", "done when the image was made"),
            "whole": ("baked", "done when the image was made"),
            "late": ("run", "not yet run for this instance")})
        step = self.machine.step("things")
        self.assertEqual((step["status"], step["this_run"], step["message"]),
                         ("done", False, "baked into the image"))

        with self.subTest("a second boot"):
            self.machine.reboot()
            self.assert_run(0, "--boot")
            self.assertEqual(self.took(), [])
            self.assertEqual(self.machine.step("things")["message"], "baked into the image")

        with self.subTest("another instance"):
            self.launch(instance_id="i-2")
            self.assertEqual(self.took(), [("late", {"late": True})])

    def test_modules_are_told_that_it_is_an_image(self):
        self.bake({"things": ["a"]})
        [(_, given)] = self.told()
        self.assertEqual((given["bake"], given["root"], given.get("baked")),
                         (True, self.machine.root, None))
        self.launch({"things": ["b"], "option": 1})
        self.assertNotIn("bake", self.told()[0][1])

    def test_a_plan_in_words(self):
        self.bake({"things": ["a", "b"]})
        self.machine.seed("#cloud-config\nthings: [c]\nwhole: 1\n")
        self.assertEqual(self.machine.agent("plan").text.splitlines(), [
            "run   things (things, per-instance): not yet run for this instance; 2 of 3 items are "
            "baked", "      things: c",
            "run   whole (whole, per-instance): not yet run for this instance", "      whole: 1"])
        self.machine.seed()
        self.assertEqual(self.machine.agent("plan").text.splitlines(), [
            "baked things (things, per-instance): done when the image was made"])

    # ---- the difference ----

    def test_a_launch_that_adds_items(self):
        self.bake({"things": ["a", "b"]})
        self.took()
        self.launch({"things": ["c"]})
        self.assertEqual(self.took(), [("things", {"things": ["c"]})])

    def test_the_same_file_with_more_in_it_is_not_done_twice(self):
        self.bake({"things": ["a"], "late": ["one"], "whole": {"x": 1}})
        self.took()
        self.launch({"things": ["a", "b"], "late": ["one", "two"], "whole": {"x": 1}})
        self.assertEqual(self.took(), [("things", {"things": ["b"]}),
                                       ("late", {"late": ["one", "two"]})])

    def test_lists_of_what_is_left_come_together(self):
        self.bake({"late": ["one"]})
        self.launch({"late": ["two"]})
        self.assertEqual(self.took(), [("late", {"late": ["one", "two"]})])

    def test_other_values_count_for_the_whole_step(self):
        self.bake({"things": ["a"], "option": 1, "whole": {"x": 1, "y": {"z": 2}}, "list": [1]})
        self.took()
        self.launch({"option": 2, "whole": {"y": {"z": 3}}})
        self.assertEqual(self.took(), [
            # Items stand alone, so they are not done again for an option.
            ("things", {"option": 2}),
            ("whole", {"whole": {"x": 1, "y": {"z": 3}}, "list": [1]})])

    def test_a_module_whose_items_hang_together_gets_all(self):
        self.bake({"list": ["a"]})
        self.took()
        self.launch({"list": ["b"]})
        self.assertEqual(self.took(), [("whole", {"list": ["a", "b"]})])

    def test_it_is_told_which_keys_are_as_they_were(self):
        self.bake({"things": ["a"], "option": 1})
        self.told()
        self.launch({"things": ["b"]})
        [(_, given)] = self.told()
        self.assertEqual((given["baked"], given["settings"]),
                         (["option"], {"things": ["b"], "option": 1}))

    def test_settings_of_the_image_lie_under_what_is_baked(self):
        self.machine.config({"option": 1, "late": "image"})
        self.bake({"things": ["a"], "late": "baked"})
        self.assertEqual(self.took(), [("things", {"things": ["a"], "option": 1})])
        self.launch({"things": ["b"]})
        self.assertEqual(self.took(), [("things", {"things": ["b"], "option": 1}),
                                       ("late", {"late": "baked"})])

    def test_one_that_failed_at_the_launch_is_done_whole(self):
        self.bake({"things": ["a"]})
        self.took()
        self.module("things", "say '{\"status\": \"failed\"}'; exit 1", order=100, bakeable=True,
                    by_item=True, keys=["things"])
        self.launch({"things": ["b"]}, code=EXIT_STEP)
        self.assertEqual(self.took(), [("things", {"things": ["b"]})])
        self.assert_run(EXIT_STEP)
        self.assertEqual(self.took(), [("things", {"things": ["a", "b"]})])

    def test_rerun(self):
        self.bake({"things": ["a"], "whole": 1})
        self.took()
        self.launch({"things": ["b"]}, "i-1", 0, "--rerun", "all")
        self.assertEqual(self.took(), [("things", {"things": ["a", "b"]}),
                                       ("whole", {"whole": 1})])
        self.launch({}, "i-2", 0, "--rerun", "whole")
        self.assertEqual(self.took(), [("whole", {"whole": 1})])

    def test_a_file_by_hand_has_nothing_of_it(self):
        self.bake({"things": ["a"], "late": 1})
        self.launch()
        self.told()
        given = self.machine.put("given", "#cloud-config\nthings: [b]\n")
        self.assert_run(0, "--user-data", given)
        self.assertEqual(self.took(), [("things", {"things": ["b"]})])
        given = self.machine.put("given", "#cloud-config\nthings: [c]\n")
        plan = self.machine.agent("plan", "--root", self.machine.root, given, "--format", "json")
        self.assertEqual([(step["name"], step["reason"]) for step in plan.json()["steps"]], [
            ("things", "not yet run for this instance; 1 of 2 items are baked"),
            ("late", "left for the launch: it wants a running machine")])

    # ---- what cannot be baked ----

    def test_scripts_are_left_and_one_is_one(self):
        script = f"#!/bin/sh\necho 'script {{\"settings\": \"ran\"}}' >>{self.mark}\n"
        self.bake(script, name="first.sh")
        self.assertEqual(self.took(), [])
        self.launch(f"#!/bin/sh\necho 'own {{\"settings\": 1}}' >>{self.mark}\n")
        self.assertEqual(self.took(), [("script", "ran"), ("own", 1)])
        self.assertEqual(list(self.plan), ["first.sh", "user-data"])
        self.launch(script, "i-2")
        self.assertEqual(self.took(), [("script", "ran")])

    def test_templates_speak_of_the_instance(self):
        schema = {"type": "object", "properties": {
            "things": {"type": "array", "items": {"type": "string", "x-template": True}},
            "whole": {"type": "string", "x-template": True}}}
        self.module("things", bakeable=True, by_item=True, keys=["things"], schema=schema | {
            "properties": {"things": schema["properties"]["things"]}}, order=100)
        self.module("whole", bakeable=True, keys=["whole"], schema=schema | {
            "properties": {"whole": schema["properties"]["whole"]}}, order=200)
        status = self.bake({"things": ["a", "{{ v1.instance_id }}"],
                            "whole": "{{ v1.instance_id }}"})
        self.assertEqual(self.took(), [("things", {"things": ["a"]})])
        reasons = {step["name"]: step["reason"] for step in status["steps"]}
        self.assertIn("1 of 2 items speak of the instance", reasons["things"])
        self.assertEqual(reasons["whole"], "left for the launch: it speaks of the instance")
        self.launch()
        self.assertEqual([name for name, _ in self.told()], ["things", "whole"])
        self.launch(instance_id="i-7")
        self.assertEqual(self.took()[0], ("things", {"things": ["i-7"]}))

    def test_a_whole_template_is_left(self):
        status = self.bake("## template: jinja\n#cloud-config\nthings: ['{{ v1.instance_id }}']\n")
        self.assertEqual(self.took(), [])
        self.assertIn("a template is left for the launch", str(status["warnings"]))
        self.launch({"things": ["x"]}, "i-9")
        self.assertEqual(self.took(), [("things", {"things": ["i-9", "x"]})])

    def test_a_module_may_leave_something(self):
        self.module("whole", said("changed", left="it wants a running machine"), order=200,
                    bakeable=True, keys=["whole"])
        status = self.bake({"whole": 1})
        self.assertEqual(self.took(), [("whole", {"whole": 1})])
        self.assertEqual(status["message"], "0 of 1 steps baked, 1 left for the launch")
        self.assertEqual(status["steps"][0]["left"], "it wants a running machine")
        self.launch()
        self.assertEqual(self.took(), [("whole", {"whole": 1})])

    def test_what_failed_is_tried_at_the_launch(self):
        self.module("whole", "say '{\"status\": \"failed\"}'; exit 1", order=200, bakeable=True,
                    keys=["whole"])
        self.bake({"things": ["a"], "whole": 1}, EXIT_STEP)
        self.took()
        self.module("whole", order=200, bakeable=True, keys=["whole"])
        self.launch()
        self.assertEqual(self.took(), [("whole", {"whole": 1})])

    # ---- layers ----

    def test_layers_lie_over_each_other(self):
        self.bake({"things": ["a"], "late": ["one"], "option": 1}, name="base.yaml")
        self.took()
        self.bake({"things": ["b"], "late": ["two"]}, name="app.yaml")
        self.assertEqual(self.took(), [("things", {"things": ["b"], "option": 1})])
        self.launch({"late": ["three"]})
        self.assertEqual(self.took(), [("late", {"late": ["one", "two", "three"]})])

    def test_the_same_layer_again_does_nothing(self):
        self.bake({"things": ["a"], "late": 1})
        self.took()
        self.bake({"things": ["a"], "late": 1})
        self.assertEqual(self.took(), [])
        self.assertEqual(len(self.machine.json(f"{BAKED}/layers.json")), 1)

    def test_a_layer_of_the_same_name_takes_its_place(self):
        self.bake({"things": ["a"], "late": ["old"]})
        self.took()
        self.bake({"things": ["a", "b"], "late": ["new"]})
        self.assertEqual(self.took(), [("things", {"things": ["b"]})])
        self.assertEqual(len([name for name in os.listdir(self.machine.path(BAKED))
                              if name.startswith("layer-")]), 1)
        self.launch()
        self.assertEqual(self.took(), [("late", {"late": ["new"]})])

    def test_names_of_layers(self):
        self.bake({"late": 1}, EXIT_USAGE, name="a b.yaml")
        self.bake({"late": [1]}, 0, "--name", "one", name="a b.yaml")
        self.bake({"late": [2]}, 0, "--name", "two", name="a b.yaml")
        self.assertEqual([layer["name"] for layer in self.machine.json(f"{BAKED}/layers.json")],
                         ["one", "two"])

    def test_without_a_file_the_images_own_is_baked(self):
        self.machine.config({"things": ["a"], "late": True})
        self.bake()
        self.assertEqual(self.took(), [("things", {"things": ["a"]})])
        self.assertFalse(self.machine.exists(f"{BAKED}/layers.json"))
        self.machine.config({"things": ["a", "c"], "late": True})
        self.bake()
        self.assertEqual(self.took(), [("things", {"things": ["c"]})])
        status = self.bake()
        self.assertEqual([step["message"] for step in status["steps"]],
                         ["baked into the image", ""])
        self.launch({"things": ["a", "b"]})
        self.assertEqual(self.took(), [("things", {"things": ["b"]}), ("late", {"late": True})])

    def test_what_failed_is_tried_by_the_next_bake(self):
        self.module("whole", "say '{\"status\": \"failed\"}'; exit 1", order=200, bakeable=True,
                    repeatable=False, keys=["whole"])
        self.bake({"whole": 1}, EXIT_STEP)
        self.took()
        self.module("whole", order=200, bakeable=True, repeatable=False, keys=["whole"])
        self.bake({"whole": 1})
        self.assertEqual(self.took(), [("whole", {"whole": 1})])

    # ---- the record ----

    def test_a_seal_leaves_it(self):
        self.machine.put("etc/os-release", "ID=test\n")
        self.bake({"things": ["a"], "late": True})
        self.took()
        before = {name: self.machine.bytes(f"{BAKED}/{name}")
                  for name in os.listdir(self.machine.path(BAKED))}
        self.assertEqual(self.machine.mode(BAKED), 0o700)
        self.assertEqual({self.machine.mode(f"{BAKED}/{name}") for name in before}, {0o600})
        self.assert_code(self.machine.agent("seal"), 0)
        self.assertEqual(before, {name: self.machine.bytes(f"{BAKED}/{name}") for name in before})
        self.launch()
        self.assertEqual(self.took(), [("late", {"late": True})])

    def test_a_dry_run_keeps_nothing(self):
        before = self.machine.tree()
        done = self.machine.agent("bake", "--root", self.machine.root, "--dry-run", "--user-data",
                                  "-", given=b"#cloud-config\nthings: [a]\n")
        self.assert_code(done, 0)
        self.assertIn("run   things (things, per-instance)", done.text)
        self.assertEqual(self.machine.tree(), before)

    def test_secrets_are_warned_of_and_shown_nowhere(self):
        self.module("vault", bakeable=True, keys=["vault", "open"], schema={
            "type": "object", "properties": {"vault": {"type": "string", "x-secret": True},
                                             "open": {"type": "string"}}})
        status = self.bake({"vault": "hunter2", "open": "door"})
        self.assertEqual([warning["message"] for warning in status["warnings"]],
                         ["vault has a secret, which will be in the image"])
        self.assertNotIn("hunter2", json.dumps(status) + self.machine.text(f"{BAKED}/steps"))

    def test_problems_have_their_place_in_their_layer(self):
        whole = {"type": "object", "properties": {
            "list": {"type": "array", "items": {"type": "integer"}}}}
        self.bake("#cloud-config\n\nlist:\n- one\n")
        self.module("whole", bakeable=True, keys=["list"], schema=whole, order=200)
        self.machine.seed("#cloud-config\nlist:\n- 2\n\n- three\n")
        done = self.machine.agent("plan", "--format", "json")
        self.assert_code(done, EXIT_INPUT)
        self.assertEqual([(problem["part"], problem["line"], problem["key"])
                          for problem in done.json()["problems"]],
                         [("common.yaml", 4, "list[0]"), ("user-data", 5, "list[2]")])

    def test_what_is_wrong_is_not_kept(self):
        self.bake("#cloud-config\nbootlace: [\n", EXIT_INPUT)
        self.assertFalse(self.machine.exists(BAKED))

    def test_a_record_that_was_cut_in_half(self):
        self.bake({"things": ["a"], "whole": 1})
        self.took()
        steps = self.machine.bytes(f"{BAKED}/steps")
        self.machine.put(f"{BAKED}/steps", steps[:-20])
        self.launch()
        self.assertEqual(self.took(), [("whole", {"whole": 1})])

    def test_on_the_machine_that_runs_no_source_is_asked(self):
        self.machine.config({"things": ["a"]})
        self.machine.seed(f"#!/bin/sh\necho seed >>{self.mark}\n")
        done = self.machine.agent("bake", "--format", "json")
        self.assert_code(done, 0)
        self.assertEqual([(name, given["root"], given["bake"]) for name, given in self.told()],
                         [("things", "/", True)])
        self.launch({"things": ["a"]}, "i-1")
        self.assertEqual(self.took(), [])


if __name__ == "__main__":
    unittest.main()
