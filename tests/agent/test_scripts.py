#!/usr/bin/python3
"""Running the user's own scripts: file, environment, output, interpreters, blocks.

How they end early, and what is run again, is in test_scripts_end.py.
"""

import grp
import os
import re
import signal
import unittest

from agent import (AgentTest, EXIT_STEP, LOG, OUTPUT_LOG, RUN, STANDARD_PATH, is_alive,
                   kill_if_alive, needs_program, needs_root, wait_until)

STAMP = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"
ITEMS = {"placement": {"region": "eu-north-1", "availability-zone": "eu-north-1a"},
         "local-ipv4": "10.1.2.3", "public-ipv4": "203.0.113.9", "hostname": "blue",
         "ami-id": "ami-1", "instance-type": "t4g.nano"}


class Script(AgentTest):
    def give(self, *lines, first="#!/bin/sh", **items):
        self.machine.seed("\n".join([first, *lines, ""]), **items)


    def waiting(self):
        """The shell's words for waiting until the test says go; not for ever."""
        self.addCleanup(self.go)
        return f"for i in $(seq 1500); do [ -e {self.work}/go ] && break; sleep 0.02; done"

    def go(self):
        if os.path.isdir(self.work):
            with open(os.path.join(self.work, "go"), "w", encoding="utf-8"):
                pass


class File(Script):
    def test_mode_0700_in_a_private_folder(self):
        self.give(f'stat -c "%a %u %F" "$0" "$(dirname "$0")" >>{self.mark}')
        self.assert_run()
        me = os.geteuid()
        self.assertEqual(self.marks(), [f"700 {me} regular file", f"700 {me} directory"])

    def test_its_name_is_the_agents_own(self):
        self.give(f'echo "$0" >>{self.mark}')
        self.assert_run()
        folder = re.escape(self.machine.path(self.machine.record()))
        self.assertRegex(self.marks()[0], f"^{folder}/(part[s/-]+)?[0-9a-f]{{32,64}}$")

    def test_bytes_are_untouched(self):
        content = b"#!/bin/sh\ncat \"$0\" >" + self.mark.encode() + \
            b"\nexit\n\x00\xff\xfe lone\rreturn\r\nno line end"
        self.machine.seed(content)
        self.assert_run()
        with open(self.mark, "rb") as copy:
            self.assertEqual(copy.read(), content)

    def test_crlf_becomes_lf(self):
        self.machine.seed(f"#!/bin/sh\r\ncat \"$0\" >{self.mark}\r\n".encode())
        self.assert_run()
        with open(self.mark, "rb") as copy:
            self.assertNotIn(b"\r", copy.read())
        self.assertIn(b"\r\n", self.machine.bytes(self.machine.record() + "/user-data"))

    def test_working_folder(self):
        self.give(f"pwd >>{self.mark}")
        self.assert_run(cwd=self.work)
        self.assertEqual(self.marks(), ["/"])

    def test_standard_input_is_empty(self):
        self.give(f"wc -c >>{self.mark}")
        self.assert_run(given=b"not for the script")
        self.assertEqual(self.marks(), ["0"])

    def test_descriptors(self):
        self.machine.seed("\n".join([
            "#!/usr/bin/python3", "import os", "def is_open(fd):", "    try:",
            "        os.fstat(fd)", "        return True", "    except OSError:",
            "        return False", "print([fd for fd in range(256) if is_open(fd)],",
            f"      file=open({self.mark!r}, 'w'))", ""]))
        self.assert_run()
        self.assertEqual(self.marks(), ["[0, 1, 2]"])

    def test_signals_are_as_at_a_login(self):
        """A shell that ignores SIGPIPE or SIGTERM would pass that on to the script."""
        self.give(f"grep -E 'Sig(Ign|Blk)' /proc/self/status >>{self.mark}")
        self.assert_run(wrapper=["sh", "-c", "trap '' PIPE TERM; exec \"$@\"", "sh"])
        self.assertEqual([int(line.split()[1], 16) for line in self.marks()], [0, 0])


class Environment(Script):
    def variables(self):
        with open(self.mark, encoding="utf-8") as lines:
            found = dict(entry.split("=", 1) for entry in lines.read().split("\0") if entry)
        return {name: value for name, value in found.items()
                if name not in ("PWD", "OLDPWD", "SHLVL", "_")}

    def test_instance_and_common_metadata(self):
        self.give(f"env -0 >>{self.mark}", **ITEMS)
        self.assert_run(variables={"HOME": "/home/of-the-caller"})
        self.assertEqual(self.variables(), {
            **self.machine.environment(), "HOME": "/home/of-the-caller", "INSTANCE_ID": "i-1",
            "BOOTLACE_INSTANCE_ID": "i-1", "BOOTLACE_REGION": "eu-north-1",
            "BOOTLACE_AVAILABILITY_ZONE": "eu-north-1a", "BOOTLACE_LOCAL_IPV4": "10.1.2.3",
            "BOOTLACE_PUBLIC_IPV4": "203.0.113.9", "BOOTLACE_HOSTNAME": "blue",
            "BOOTLACE_AMI_ID": "ami-1", "BOOTLACE_INSTANCE_TYPE": "t4g.nano"})

    def test_item_that_is_not_there_sets_no_variable(self):
        self.give(f"env -0 >>{self.mark}", hostname="blue")
        self.assert_run()
        self.assertEqual({name for name in self.variables() if name.startswith("BOOTLACE_")},
                         {"BOOTLACE_PREFIX", "BOOTLACE_LIBDIR", "BOOTLACE_INSTANCE_ID",
                          "BOOTLACE_HOSTNAME"})

    def test_bare_environment_gets_home_and_path(self):
        """As systemd starts a service, and barer."""
        self.give(f"/usr/bin/env -0 >>{self.mark}")
        self.assert_run(wrapper=["env", "-u", "PATH", "-u", "LANG"])
        variables = self.variables()
        self.assertEqual(variables["HOME"], "/root")
        self.assertEqual(variables["PATH"], STANDARD_PATH)

    def test_what_systemd_meant_for_the_agent_is_not_passed_on(self):
        private = {"JOURNAL_STREAM": "8:1", "NOTIFY_SOCKET": "/x", "INVOCATION_ID": "1",
                   "LISTEN_FDS": "1", "LISTEN_PID": "1", "SYSTEMD_EXEC_PID": "1"}
        self.give(f"env -0 >>{self.mark}")
        self.assert_run(variables=private)
        self.assertFalse(set(private) & set(self.variables()))

    def test_metadata_is_text_and_never_a_shell_word(self):
        self.give(f"printf '%s\\n' \"$BOOTLACE_HOSTNAME\" >>{self.mark}",
                  hostname=f"$(touch {self.work}/bad);`id` 'x'")
        self.assert_run()
        self.assertEqual(self.marks(), [f"$(touch {self.work}/bad);`id` 'x'"])
        self.assertFalse(os.path.exists(os.path.join(self.work, "bad")))


class Ending(Script):
    def test_exit_code(self):
        for code in (1, 2, 42, 255):
            with self.subTest(code):
                self.give(f"exit {code}", instance_id=f"i-{code}")
                self.assert_run(EXIT_STEP)
                self.assert_step(status="failed", exit_code=code,
                                 message=f"ended with exit code {code}")

    def test_signal(self):
        self.give("kill -USR1 $$")
        self.assert_run(EXIT_STEP)
        step = self.assert_step(status="failed", exit_code=None, signal=signal.SIGUSR1)
        self.assertIn("signal 10", step["message"])

    def test_duration_and_start(self):
        self.give("sleep 0.3")
        self.assert_run()
        step = self.assert_step(status="done", exit_code=0)
        self.assertRegex(step["started"], f"^{STAMP}$")
        self.assertTrue(300 <= step["duration_ms"] < 3000, step)

    def test_failure_stands_among_the_errors(self):
        self.give("exit 9")
        self.assert_run(EXIT_STEP)
        status = self.machine.status()
        self.assertEqual((status["status"], status["errors"]),
                         ("failed", [{"step": "user-data", "message": "ended with exit code 9",
                                      "exit_code": 9}]))

    def test_last_lines_are_kept(self):
        self.give("seq 1000", "exit 1")
        self.assert_run(EXIT_STEP)
        lines = self.machine.step()["output"].splitlines()
        self.assertEqual(lines, [str(number) for number in range(976, 1001)])
        self.assertEqual(len(self.machine.output_lines()), 1000)
        self.assertIn("      | 1000\n", self.machine.agent("status").text)

    def test_kept_lines_have_a_limit_in_bytes(self):
        self.give("for i in 1 2 3 4 5; do head -c 3000 /dev/zero | tr '\\0' $i; echo; done")
        self.assert_run()
        output = self.machine.step()["output"]
        self.assertEqual(output, "5" * 3000 + "\n")


class Output(Script):
    def test_log_is_0640_and_of_the_group_adm(self):
        self.give("echo x")
        self.assert_run(umask=0o077)
        for name in (OUTPUT_LOG, LOG):
            self.assertEqual(self.machine.mode(name), 0o640, name)
            if os.geteuid() == 0:
                info = os.stat(self.machine.path(name))
                self.assertEqual((info.st_uid, info.st_gid), (0, grp.getgrnam("adm").gr_gid))

    def test_lines(self):
        self.give("echo one", "echo two >&2", "echo three")
        outcome = self.assert_run()
        lines = self.machine.text(OUTPUT_LOG).splitlines()
        for line, text in zip(lines, ("one", "two", "three"), strict=True):
            self.assertRegex(line, f"^{STAMP} user-data: {text}$")
        self.assertIn("user-data: one\nuser-data: two\nuser-data: three\n", outcome.err)

    def test_under_systemd_each_line_has_its_priority(self):
        self.give("echo one")
        reading, writing = os.pipe()
        info = os.fstat(writing)
        with os.fdopen(reading) as journal, os.fdopen(writing, "w") as given:
            self.assert_run(stderr=given, variables={
                "JOURNAL_STREAM": f"{info.st_dev}:{info.st_ino}"})
            given.close()
            lines = journal.read().splitlines()
        self.assertIn("<6>user-data: one", lines)
        self.assertTrue(all(re.match("<[0-7]>", line) for line in lines), lines)

    def test_standard_error_that_is_not_the_journal_has_none(self):
        """As of a run by hand from a service's shell: the variable speaks of something else."""
        self.give("echo one")
        outcome = self.assert_run(variables={"JOURNAL_STREAM": "8:1"})
        self.assertIn("\nuser-data: one\n", outcome.err)

    def test_lines_come_while_it_runs(self):
        self.give("echo early", f"while [ ! -e {self.mark} ]; do sleep 0.02; done", "echo late")
        process = self.start("run")
        self.assertTrue(wait_until(lambda: self.machine.output_lines() == ["user-data: early"]))
        with open(self.mark, "w", encoding="utf-8"):
            pass
        self.assertEqual(process.wait(), 0)
        self.assertEqual(self.machine.output_lines(), ["user-data: early", "user-data: late"])

    def test_no_line_end_at_the_end(self):
        self.give("printf 'one\\ntwo'")
        self.assert_run()
        self.assertEqual(self.machine.output_lines(), ["user-data: one", "user-data: two"])
        self.assertEqual(self.machine.step()["output"], "one\ntwo\n")

    def test_binary_output(self):
        self.give("printf 'a\\000b\\377\\033[31mc\\rd\\n\\n\\303\\274\\177\\n'")
        self.assert_run()
        lines = self.machine.bytes(OUTPUT_LOG).split(b"\n")[:-1]
        texts = [line.split(b" user-data: ", 1)[1] for line in lines]
        self.assertEqual(texts, [b"a?b\xff?[31mc?d", b"", b"\xc3\xbc?"])
        self.assertEqual(self.machine.step()["output"],
                         "a?b\N{REPLACEMENT CHARACTER}?[31mc?d\n\nü?\n")

    def test_all_bytes(self):
        """Nothing of them breaks the record or makes a line that the script did not print."""
        self.machine.seed("#!/usr/bin/python3\nimport os\nos.write(1, bytes(range(256)) * 200)\n")
        self.assert_run()
        self.assertEqual(self.machine.step()["status"], "done")
        lines = self.machine.bytes(OUTPUT_LOG).split(b"\n")
        self.assertEqual(len(lines) - 1, 201)

    def test_line_end_of_a_progress_bar_and_of_windows(self):
        self.give("printf 'one\\r\\ntwo\\r\\n'")
        self.assert_run()
        self.assertEqual(self.machine.step()["output"], "one\ntwo\n")

    def test_long_line_is_cut_into_several(self):
        self.give("head -c 20000 /dev/zero | tr '\\0' x")
        self.assert_run()
        lines = [line.removeprefix("user-data: ") for line in self.machine.output_lines()]
        self.assertEqual([len(line) for line in lines], [8192, 8192, 20000 - 2 * 8192])

    def test_everybody_sees_no_output(self):
        self.give("echo hidden-word", "exit 1")
        self.assert_run(EXIT_STEP)
        self.assertNotIn("hidden-word", self.machine.text(f"{RUN}/status.json"))
        self.assertNotIn("hidden-word", self.machine.text(LOG))

    def test_log_that_is_a_link_is_not_followed(self):
        target = self.machine.put("target", "before\n")
        os.symlink(target, self.machine.path(OUTPUT_LOG))
        self.give("echo x")
        self.assert_run()
        self.assertEqual(self.machine.text("target"), "before\n")

    def test_closed_descriptors_become_no_file_of_the_agent(self):
        """What is meant for standard error never ends in the lock or the journal."""
        self.give("echo text")
        for closed in ("2>&-", "<&- 2>&-", "<&- >&- 2>&-"):
            with self.subTest(closed):
                self.assert_run(0, "--rerun", "all", wrapper=["sh", "-c", f'exec "$@" {closed}',
                                                              "sh"])
                for name in (LOG, f"{RUN}/lock", self.machine.record() + "/journal"):
                    self.assertNotRegex(self.machine.text(name), "(?m)^(bootlace|user-data): ")

    def test_without_a_folder_for_logs_it_runs_all_the_same(self):
        os.rmdir(self.machine.path("var/log"))
        self.give(f"echo ran >>{self.mark}; echo text")
        self.assert_run()
        self.assertEqual((self.marks(), self.machine.step()["output"]), (["ran"], "text\n"))


class LeftBehind(Script):
    def test_daemon_that_prints_later_neither_hangs_nor_dies(self):
        self.give(f"( {self.waiting()}; echo late && echo alive >>{self.mark} ) &", "echo now")
        self.assert_run()
        self.assertEqual(self.machine.output_lines(), ["user-data: now"])
        self.go()
        self.assertEqual(self.wait_for_mark(), ["alive"])
        self.assertTrue(wait_until(lambda: self.machine.output_lines() ==
                                   ["user-data: now", "user-data: late"]))

    def test_daemon_goes_on_after_the_run(self):
        self.give("nohup sleep 30 &", f"echo $! >>{self.mark}")
        outcome = self.assert_run()
        pid = int(self.marks()[0])
        self.addCleanup(kill_if_alive, pid)
        self.assertLess(outcome.seconds, 5)
        self.assertTrue(is_alive(pid))
        self.assert_step(status="done")

    @needs_root
    def test_keeper_of_its_output_ends_with_it(self):
        """It holds nothing but the pipe and the log, not the lock or the terminal."""
        self.give(f"sleep 30 & echo $! >>{self.mark}")
        self.assert_run()
        pid = int(self.marks()[0])
        self.addCleanup(kill_if_alive, pid)
        pipe = os.readlink(f"/proc/{pid}/fd/1")

        def keepers():
            found = []
            for name in filter(str.isdigit, os.listdir("/proc")):
                try:
                    files = {os.readlink(f"/proc/{name}/fd/{number}")
                             for number in os.listdir(f"/proc/{name}/fd")}
                except OSError:
                    continue
                if pipe in files and int(name) != pid:
                    found.append(files)
            return found

        self.assertEqual(keepers(), [{pipe, "/dev/null", self.machine.path(OUTPUT_LOG)}])
        os.kill(pid, signal.SIGKILL)
        self.assertTrue(wait_until(lambda: not keepers()))

    def test_second_run_is_not_kept_waiting(self):
        self.give(f"sleep 30 & echo $! >>{self.mark}")
        self.assert_run()
        self.addCleanup(kill_if_alive, int(self.marks()[0]))
        self.assert_run()


class Interpreter(Script):
    def test_missing(self):
        self.give("true", first="#!/no/such/interpreter -x")
        self.assert_run(EXIT_STEP)
        self.assert_step(status="failed", exit_code=None,
                         message="its interpreter /no/such/interpreter is not installed")

    def test_not_executable(self):
        self.give("true", first=f"#!{self.machine.put('plain', 'text')}")
        self.assert_run(EXIT_STEP)
        self.assertRegex(self.machine.step()["message"], "its interpreter .* cannot be executed")

    def test_none(self):
        self.give("true", first="#!")
        self.assert_run(EXIT_STEP)
        self.assertIn("names no interpreter", self.machine.step()["message"])

    def test_argument(self):
        self.give(f"echo $- >>{self.mark}", first="#! /bin/sh -eu ")
        self.assert_run()
        self.assertTrue({"e", "u"} <= set(self.marks()[0]), self.marks())

    def test_other_language(self):
        self.machine.seed(f"#!/usr/bin/env -S python3 -B\nopen({self.mark!r}, 'w').write('x')\n")
        self.assert_run()
        self.assertEqual(self.marks(), ["x"])

    @needs_root
    @needs_program("unshare", "mount")
    def test_state_on_a_file_system_that_executes_nothing(self):
        folder = os.path.join(self.work, "seed")
        for instance, first, check in (
                ("i-1", "#!/bin/sh -eu", "echo $- >>{}"), ("i-2", "#!/usr/bin/env sh", "echo >>{}"),
                ("i-3", "<script>", "echo block >>{}")):
            with self.subTest(first):
                text = "\n".join([first, f"grep -q '{self.machine.root}.*noexec' /proc/mounts",
                                  check.format(self.mark),
                                  "</script>" if first == "<script>" else ""])
                self.machine.settings(seed=folder)
                self.machine.seed(text, instance, folder)
                before = len(self.marks())
                mount = f"mount -t tmpfs -o noexec tmpfs {self.machine.path('var/lib')}"
                outcome = self.machine.run(wrapper=[
                    "unshare", "-m", "sh", "-c", f'{mount} && exec "$@"', "sh"])
                self.assert_code(outcome, 0)
                self.assertEqual(len(self.marks()), before + 1)
        self.assertTrue({"e", "u"} <= set(self.marks()[0]), self.marks())


class Blocks(Script):
    def powershell(self, script="exit ${PWSH_CODE:-0}"):
        """A folder with a stand-in for pwsh that writes its arguments and its script down."""
        stand_in = self.machine.put("bin/pwsh", "\n".join([
            "#!/bin/sh", f"printf '%s\\n' \"$@\" >>{self.mark}", 'for last; do :; done',
            f'stat -c %a "$last" >>{self.mark}', f'cp "$last" {self.work}/copy', script, ""]),
            0o755)
        self.machine.variables["PATH"] = f"{os.path.dirname(stand_in)}:{STANDARD_PATH}"

    def copy(self):
        with open(os.path.join(self.work, "copy"), "rb") as content:
            return content.read()

    def test_script_without_a_first_line_runs_under_sh(self):
        self.machine.seed(f"<script>\necho $0 >>{self.mark}\nreadlink /proc/$$/exe "
                          f">>{self.mark}\n</script>")
        self.assert_run()
        self.assertEqual(self.marks()[1], os.path.realpath("/bin/sh"))
        self.assert_step("script", status="done", module="script")

    def test_script_with_a_first_line_runs_under_that(self):
        self.machine.seed(f"<script>\n#!/usr/bin/python3\nopen({self.mark!r}, 'w').write('py')\n"
                          "</script>")
        self.assert_run()
        self.assertEqual(self.marks(), ["py"])

    def test_script_comes_first(self):
        self.powershell()
        self.machine.seed(f"<powershell>\nX\n</powershell>\n<script>echo script >>{self.mark}"
                          "</script>")
        self.assert_run()
        self.assertEqual(self.marks()[0], "script")
        steps = self.machine.status()["steps"]
        self.assertEqual([(step["name"], step["module"]) for step in steps],
                         [("script", "script"), ("powershell", "powershell")])

    def test_without_pwsh_the_step_fails_and_says_so(self):
        self.machine.variables["PATH"] = self.work
        self.machine.seed("<powershell>Get-Date</powershell>")
        self.assert_run(EXIT_STEP)
        step = self.assert_step("powershell", status="failed", exit_code=None)
        self.assertIn("pwsh is not installed", step["message"])

    def test_powershell_with_default_arguments(self):
        self.powershell()
        self.machine.seed("<powershell>\nWrite-Host 'ü'\n</powershell>")
        self.assert_run()
        *arguments, path, mode = self.marks()
        self.assertEqual(arguments, ["-ExecutionPolicy", "Unrestricted", "-File"])
        self.assertRegex(path, f"^{re.escape(self.machine.root)}/var/lib/.*[0-9a-f]{{32}}\\.ps1$")
        self.assertEqual(mode, "700")
        self.assertEqual(self.copy(), "Write-Host 'ü'".encode())

    def test_powershell_arguments_replace_them(self):
        self.powershell()
        self.machine.seed("<powershell>X</powershell>\n<powershellArguments> -NoProfile "
                          "-Title \"two words\" a\"b c\"d '$(id)' \"\" </powershellArguments>")
        self.assert_run()
        self.assertEqual(self.marks()[:-2],
                         ["-NoProfile", "-Title", "two words", "ab cd", "'$(id)'", "", "-File"])

    def test_powershell_with_too_many_arguments(self):
        self.powershell()
        self.machine.seed("<powershell>X</powershell><powershellArguments>" + "-a " * 65 +
                          "</powershellArguments>")
        self.assert_run(EXIT_STEP)
        self.assertIn("more than 64 words", self.machine.step("powershell")["message"])
        self.assertEqual(self.marks(), [])

    def test_exit_code_of_pwsh(self):
        self.powershell("exit 17")
        self.machine.seed("<powershell>X</powershell>")
        self.assert_run(EXIT_STEP)
        self.assert_step("powershell", status="failed", exit_code=17)

    def test_powershell_at_every_boot(self):
        self.powershell()
        self.machine.seed("<powershell>X</powershell><persist>true</persist>")
        for _ in range(2):
            self.assert_run()
            self.machine.reboot()
        self.assertEqual(self.marks().count("-File"), 2)

    def test_detached_script_is_not_waited_for(self):
        self.machine.seed(f"<script>\n{self.waiting()}\necho printed\necho $$ >>{self.mark}\nexit 3"
                          "\n</script>\n<detach>true</detach>")
        self.assert_run()
        step = self.assert_step("script", status="done", exit_code=None)
        started = re.fullmatch(r"started as process (\d+), not waited for", step["message"])
        self.assertTrue(started, step)
        self.go()
        self.assertEqual(self.wait_for_mark(), [started[1]])
        self.assertTrue(wait_until(
            lambda: self.machine.output_lines() == ["script: printed"]))

    def test_detached_script_survives_the_end_of_the_agent(self):
        self.machine.seed(f"<script>\necho $$ >>{self.mark}\nexec sleep 30\n</script>\n"
                          "<detach>true</detach>")
        self.assert_run()
        pid = int(self.wait_for_mark()[0])
        self.addCleanup(kill_if_alive, pid)
        self.assertTrue(is_alive(pid))
        self.assertEqual(os.getsid(pid), pid)

    def test_detached_powershell(self):
        self.powershell(f"{self.waiting()}; echo detached")
        self.machine.seed("<powershell>X</powershell><detach>true</detach>")
        self.assert_run()
        self.assertIn("started as process", self.machine.step("powershell")["message"])
        self.go()
        self.assertTrue(wait_until(
            lambda: self.machine.output_lines() == ["powershell: detached"]))


if __name__ == "__main__":
    unittest.main()
