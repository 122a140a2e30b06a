#!/usr/bin/python3
"""#include and #include-once over http, https and file, and #cloud-config-jsonp.

The servers are the test's own, on loopback. BOOTLACE_BUILD names the build folder.
"""

import hashlib
import os
import sys
import unittest

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "servers"))
from agent import (AgentTest, EXIT_INPUT, EXIT_SOURCE, needs_program)  # noqa: E402
from web import Answer, Web  # noqa: E402


class IncludeTest(AgentTest):
    def serve(self, answers, **how):
        web = Web(answers, **how)
        web.__enter__()
        self.addCleanup(web.__exit__)
        return web

    def script(self, word):
        return f"#!/bin/sh\necho {word} >>{self.mark}\n".encode()

    def assert_refused(self, text, words, code=EXIT_INPUT):
        """Nothing of the user-data is run, and the message has these words."""
        self.machine.seed(f"#include\n{text}\n")
        self.assert_run(code)
        status = self.machine.status()
        self.assertEqual((status["status"], status["exit_code"]), ("failed", code))
        self.assertRegex(status["errors"][0]["message"] + status["errors"][0].get("hint", ""),
                         words)
        self.assertEqual(status["steps"], [])
        return status["errors"][0]


class Include(IncludeTest):
    def test_what_it_names_is_run_in_its_place(self):
        inner = self.machine.put("inner", self.script("file"))
        web = self.serve({"/a": self.script("first"),
                          "/list": b"#include\n/nothing\n"})
        web.answers["/list"] = f"#include\n{web.url('/a')}\nfile://{inner}\n".encode()
        self.machine.seed(f"#include\n# a comment\n{web.url('/list')}\n")
        self.assert_run()
        self.assertEqual(self.marks(), ["first", "file"])
        self.assertEqual(web.paths(), ["/list", "/a"])
        self.assertEqual(web.requests[0][2]["User-Agent"].split("/")[0], "bootlace")

    def test_at_every_boot_anew_and_once_from_the_record(self):
        config = b"#cloud-config\nbootcmd: [echo %s >>" + self.mark.encode() + b"]\n"
        web = self.serve({"/each": config % b"each", "/once": b"#cloud-config\nmerge_how: "
                          b"list(append)+dict(recurse_list)+str()\nbootcmd: [echo once >>"
                          + self.mark.encode() + b"]\n"})
        self.machine.seed(f"#include\n{web.url('/each')}\n#include-once\n{web.url('/once')}\n")
        for _ in range(2):
            self.assert_run()
            self.machine.reboot()
        self.assertEqual(web.paths(), ["/each", "/once", "/each"])
        self.assertEqual(self.marks(), ["each", "once"] * 2)
        [kept] = [name for name in os.listdir(self.machine.path(self.machine.record()))
                  if name.startswith("include-")]
        self.assertEqual(self.machine.mode(f"{self.machine.record()}/{kept}"), 0o600)

    def test_what_passes_is_tried_again(self):
        web = self.serve({"/busy": Answer(503, times=2, then=self.script("busy")),
                          "/late": Answer(429, times=1, then=self.script("late"),
                                          headers={"Retry-After": "1"}),
                          "/cut": Answer(200, body=b"#!/bin/sh\nexit 1\n", cut=5, times=1,
                                         then=self.script("cut"))})
        self.machine.seed("#include\n" + "\n".join(web.url(f"/{name}")
                                                   for name in ("busy", "late", "cut")))
        self.assert_run()
        self.assertEqual(self.marks(), ["busy", "late", "cut"])
        self.assertEqual(web.paths(), ["/busy"] * 3 + ["/late"] * 2 + ["/cut"] * 2)

    def test_what_is_not_there_is_not(self):
        web = self.serve({"/forbidden": Answer(403)})
        error = self.assert_refused(web.url("/none?token=secret"), "status 404")
        self.assertEqual((error["where"], error["line"]), ("user-data", 2))
        self.assertNotIn("secret", str(error))
        self.assert_refused(web.url("/forbidden"), "status 403")
        self.assert_refused(f"file://{self.work}/none", "there is no such file")
        self.assertEqual(len(web.requests), 2)

    def test_nobody_answers(self):
        web = self.serve({"/busy": Answer(503, headers={"Retry-After": "1000"})})
        error = self.assert_refused(web.url("/busy"), "status 503", EXIT_SOURCE)
        self.assertIn("try again later", error["hint"])
        self.machine.seed(f"#include\n{web.url('/busy')}\n")
        web.answers["/busy"] = self.script("later")
        self.assert_run()
        self.assertEqual(self.marks(), ["later"], "the next run finds it")

    def test_checksums(self):
        body = self.script("checked")
        digest = hashlib.sha256(body).hexdigest()
        web = self.serve({"/a": body})
        self.assert_refused(web.url("/a#sha256=" + "0" * 64), "not what its checksum says")
        self.machine.seed(f"#include {web.url('/a#sha256=')}{digest.upper()}\n")
        self.assert_run()
        self.assertEqual(self.marks(), ["checked"])

    def test_too_large(self):
        web = self.serve({"/big": b"#" * (16 * 1024 * 1024 + 1)})
        self.assert_refused(web.url("/big"), "larger than the limit of 16777216 bytes")

    def test_redirects(self):
        web = self.serve({"/target": self.script("target")})
        web.answers["/a"] = Answer(302, headers={"Location": web.url("/target")})
        web.answers["/round"] = Answer(302, headers={"Location": "/round"})
        # An address of that kind where nobody is, should it be asked all the same.
        web.answers["/astray"] = Answer(
            302, headers={"Location": "http://169.254.7.7/latest/user-data"})
        web.answers["/mapped"] = Answer(
            302, headers={"Location": "http://[::ffff:169.254.7.7]/latest/user-data"})
        web.answers["/file"] = Answer(302, headers={"Location": "file:///etc/passwd"})
        self.assert_refused(web.url("/round"), "redirect", EXIT_SOURCE)
        self.assert_refused(web.url("/astray"), "redirects to a link-local address", EXIT_SOURCE)
        self.assert_refused(web.url("/mapped"), "redirects to a link-local address", EXIT_SOURCE)
        self.assert_refused(web.url("/file"), "file", EXIT_SOURCE)
        self.machine.seed(f"#include\n{web.url('/a')}\n")
        self.assert_run()
        self.assertEqual(self.marks(), ["target"])

    def test_a_proxy_of_the_environment(self):
        proxy = self.serve({"http://elsewhere.test/a": self.script("by-proxy")})
        self.machine.variables["http_proxy"] = proxy.url()
        self.machine.seed("#include\nhttp://elsewhere.test/a\n")
        self.assert_run()
        self.assertEqual(self.marks(), ["by-proxy"])

    @needs_program("openssl")
    def test_https(self):
        plain = self.serve({"/a": self.script("plain")})
        web = self.serve({"/a": self.script("tls"),
                          "/down": Answer(301, headers={"Location": plain.url("/a")})}, tls=True)
        self.assert_refused(web.url("/a"), "certificate", EXIT_SOURCE)
        self.machine.variables["SSL_CERT_FILE"] = web.authority
        self.assert_refused(web.url("/down"), "http", EXIT_SOURCE)
        self.assertEqual(plain.requests, [])
        self.machine.seed(f"#include\n{web.url('/a')}\n")
        self.assert_run()
        self.assertEqual(self.marks(), ["tls"])

    def test_who_looks_on(self):
        web = self.serve({"/a": b"#cloud-config\nruncmd: [true]\n"})
        path = self.machine.put("given", f"#include\n{web.url('/a')}\n")
        plan = self.machine.agent("plan", path, "--format", "json").json()
        self.assertEqual([step["name"] for step in plan["steps"]], ["runcmd"])
        self.assertEqual(self.machine.agent("inspect", path, "--format", "json").json()["config"],
                         {"runcmd": [True]})
        self.assertEqual(len(web.requests), 2)

        with self.subTest("validate asks nobody"):
            done = self.machine.agent("validate", path)
            self.assert_code(done, 0)
            self.assertIn("warning: user-data:2: ", done.text)
            self.assertIn("is not fetched here", done.text)
            self.assertEqual(len(web.requests), 2)


class Patch(IncludeTest):
    def test_it_changes_what_was_merged_before(self):
        self.machine.seed(
            "#cloud-config-archive\n"
            "- type: text/cloud-config\n"
            f"  content: 'runcmd: [\"echo one >>{self.mark}\"]'\n"
            "- |\n"
            "  #cloud-config-jsonp\n"
            f"  [{{\"op\": \"add\", \"path\": \"/runcmd/-\", "
            f"\"value\": \"echo two >>{self.mark}\"}},\n"
            "   {\"op\": \"test\", \"path\": \"/runcmd/1\", \"value\": 7}]\n")
        self.assert_run(EXIT_INPUT)
        [error] = self.machine.status()["errors"]
        self.assertIn("operation 2 of the patch: the test does not hold", error["message"])
        self.machine.seed(self.machine.text("var/lib/bootlace/seed/user-data").replace(
            "\"value\": 7", f"\"value\": \"echo two >>{self.mark}\""))
        self.assert_run()
        self.assertEqual(self.marks(), ["one", "two"])

    def test_on_the_line_of_its_word(self):
        path = self.machine.put(
            "given", '#cloud-config-jsonp [{"op": "add", "path": "/hostname", "value": "x"}]')
        config = self.machine.agent("inspect", path, "--format", "json").json()["config"]
        self.assertEqual(config, {"hostname": "x"})


if __name__ == "__main__":
    unittest.main()
