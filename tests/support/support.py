"""What the tests of the support library share: its test programs, called with requests in JSON."""

import json
import os
import subprocess
import unittest

from agent import SANITIZER_WORDS, build_folder, environment
from aws_judge import AwsJudge

CALL_LIMIT_S = 120
ROLE = "web-role"
ROLES_ITEM = "iam/security-credentials/"


def program(name):
    folder = os.environ.get("BOOTLACE_TEST_BIN") or os.path.join(build_folder(), "tests")
    return os.path.join(folder, name)


def ask(name, lines, variables=None, wrapper=()):
    """What a test program answers, a line each."""
    given = "".join(json.dumps(one) + "\n" for one in lines)
    done = subprocess.run([*wrapper, program(name)], input=given,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False,
                          timeout=CALL_LIMIT_S, env=environment(**(variables or {})))
    if done.returncode or any(word.decode() in done.stderr for word in SANITIZER_WORDS):
        raise AssertionError(f"{name} ended with {done.returncode}\n{done.stderr}")
    return [json.loads(line) for line in done.stdout.splitlines()]


class Answers(list):
    """The answers to calls; and of the client: region, log, asked."""

    def __init__(self, lines):
        super().__init__(lines[:-1])
        self.region = lines[-1]["region"]
        self.log = lines[-1]["log"]
        self.asked = lines[-1]["asked"]


IDENTITY = {"kind": "query", "service": "sts", "action": "GetCallerIdentity"}


def role_answer(key_id, secret, token, ends, **more):
    return json.dumps({"Code": "Success", "Type": "AWS-HMAC", "AccessKeyId": key_id,
                       "SecretAccessKey": secret, "Token": token, "Expiration": ends, **more})


class AwsTest(unittest.TestCase):
    """A test with a judge, and calls of aws_call to it."""

    maxDiff = None

    def setUp(self):
        self.judge = AwsJudge()
        self.judge.__enter__()
        self.addCleanup(self.judge.__exit__)

    def call(self, *calls, metadata=None, variables=None, credentials=True):
        given = {**self.judge.environment(credentials=credentials), "HOME": "/nonexistent",
                 **(variables or {})}
        given = {name: value for name, value in given.items() if value is not None}
        return Answers(ask("aws_call", [metadata or {}, *calls], given))

    def assert_good(self, answer):
        self.assertEqual((answer["result"], answer["why"]), (0, ""), answer)

    def assert_refused(self, answer, code, *words):
        self.assertLess(answer["result"], 0, answer)
        self.assertEqual(answer["code"], code, answer)
        for word in words:
            self.assertIn(word, answer["why"])
