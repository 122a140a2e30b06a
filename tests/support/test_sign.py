#!/usr/bin/python3
"""The signer of modules/support against Debian's botocore, request by request.

What is compared is the canonical request, the string to sign and the signature. The requests are
made here: by hand the cases that AWS's published suite has (order, encoding, normalisation, empty
values, duplicates, tokens, unicode, blanks and folds in headers), and some thousands at random.
"""

import hashlib
import json
import os
import random
import subprocess
import time
import unittest
import urllib.parse

from botocore import auth, awsrequest, credentials

from agent import build_folder, environment

SEED = 20130715
RANDOM_REQUESTS = 6000
LIMIT_S = 120
EMPTY = hashlib.sha256(b"").hexdigest()
UNSIGNED = "UNSIGNED-PAYLOAD"
WHEN = 1440938160  # 2015-08-30T12:36:00Z, the published suite's time


def signer():
    folder = os.environ.get("BOOTLACE_TEST_BIN") or os.path.join(build_folder(), "tests")
    return os.path.join(folder, "sign")


def host(*headers):
    return [["Host", "example.amazonaws.com"], *headers]


def request(**members):
    return {"method": "GET", "path": "/", "query": [], "headers": host(),
            "sha256": EMPTY, "region": "us-east-1", "service": "service", "s3": False,
            "key_id": "AKIDEXAMPLE", "secret": "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
            "token": None, "when": WHEN, **members}


# What the published suite covers, and S3's side of it.
CASES = {
    "vanilla": {},
    "empty path": {"path": ""},
    "post": {"method": "POST"},
    "post with body": {"method": "POST", "sha256": hashlib.sha256(b"Param1=value1").hexdigest(),
                       "headers": host(["Content-Type", "application/x-www-form-urlencoded"])},
    "header order of values": {"headers": host(["My-Header1", "value4"], ["My-Header1", "value1"],
                                               ["My-Header1", "value3"], ["my-header1", "value2"])},
    "header key of several cases": {"headers": host(["MY-header1", "a"], ["my-HEADER2", "b"])},
    "header trim": {"headers": host(["My-Header1", "  value1 "], ["My-Header2", ' "a   b   c" '])},
    "header of several lines": {"headers": host(["My-Header1", "value1\n  value2\r\n\tvalue3"])},
    "header without value": {"headers": host(["My-Header1", ""], ["My-Header2", "   "])},
    "header of unicode": {"headers": host(["My-Header1", "Grüße ☃"])},
    "headers out of order": {"headers": host(["Zebra", "1"], ["Alpha", "2"], ["M-x", "3"])},
    "headers that are not signed": {"headers": host(["User-Agent", "x"], ["Expect", "100-continue"],
                                                    ["X-Amzn-Trace-Id", "y"])},
    "query order by key": {"query": [["Param2", "value2"], ["Param1", "value1"]]},
    "query order by case": {"query": [["foo", "1"], ["FOO", "2"], ["fOO", "3"]]},
    "query order by value": {"query": [["Param1", "value2"], ["Param1", "Value1"],
                                       ["Param1", "value1"]]},
    "query order of a prefix": {"query": [["a-b", "1"], ["a", "2"], ["a/", "3"], ["aa", "0"]]},
    "query order after encoding": {"query": [["a\x7f", "1"], ["aé", "2"], ["a ", "3"],
                                             ["a0", "4"]]},
    "query twice the same": {"query": [["a", "b"], ["a", "b"]]},
    "query without value": {"query": [["Param1", ""], ["acl", None]]},
    "query without key": {"query": [["", "value"]]},
    "query of unreserved": {"query": [["-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghij",
                                       "-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghij"]]},
    "query of reserved": {"query": [["@#$%^&+=/,?><`\";:\\|][{} ", "@#$%^&+=/,?><`\";:\\|][{} "]]},
    "query of unicode": {"query": [["ሴ", "bar"], ["ключ", "значение 🚀"]]},
    "query that looks encoded": {"query": [["a%20b", "%2F+%"]]},
    "path of unreserved": {"path": "/-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghij"},
    "path of reserved": {"path": "/@#$%^&+=,?><`\";:\\|][{} !*'()"},
    "path of unicode": {"path": "/ሴ/🚀"},
    "path with a blank": {"path": "/example space/"},
    "path that looks encoded": {"path": "/a%2Fb%20c"},
    "path relative": {"path": "/example/.."},
    "path relative to the root": {"path": "/../../x"},
    "path relative twice": {"path": "/example1/example2/../.."},
    "path with dots": {"path": "/./example"},
    "path with a dot at its end": {"path": "/example/."},
    "path with a dot alone": {"path": "/./"},
    "path of three dots": {"path": "/.../.a/b."},
    "path of a slash": {"path": "//"},
    "path of slashes": {"path": "//example//x///"},
    "path relative, with slash": {"path": "/a/b/../"},
    "session token": {"token": "AQoDYXdzEPT//////////wEXAMPLEtc764bNrC9SAPBSM22wDOk4x=="},
    "unsigned payload": {"sha256": UNSIGNED, "s3": True, "service": "s3"},
}


def plain_path(path):
    """For a service that is not S3 and is asked over the wire for exactly this."""
    return urllib.parse.quote(path.encode(), safe="/-._~") or "/"


def expected(given):
    """canonical request, string to sign, signature, all of botocore's making."""
    query = "&".join(f"{urllib.parse.quote(k.encode(), safe='-._~')}="
                     f"{urllib.parse.quote((v or '').encode(), safe='-._~')}"
                     for k, v in given["query"])
    name = dict((key.lower(), value) for key, value in given["headers"])["host"]
    made = awsrequest.AWSRequest(
        method=given["method"],
        url=f"https://{name}{plain_path(given['path'])}{'?' if query else ''}{query}")
    for key, value in given["headers"]:
        # AWSRequest's headers keep several of one name, in their order.
        made.headers.add_header(key, value)
    made.context["timestamp"] = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(given["when"]))
    keys = credentials.Credentials(given["key_id"], given["secret"], given["token"])
    kind = auth.S3SigV4Auth if given["s3"] else auth.SigV4Auth
    signs = kind(keys, given["service"], given["region"])
    made.headers["X-Amz-Date"] = made.context["timestamp"]
    if given["token"]:
        made.headers["X-Amz-Security-Token"] = given["token"]
    if given["s3"]:
        made.headers["X-Amz-Content-SHA256"] = given["sha256"]
    else:
        signs.payload = lambda _request: given["sha256"]
    canonical = signs.canonical_request(made)
    to_sign = signs.string_to_sign(made, canonical)
    return canonical, to_sign, signs.signature(to_sign, made)


def sign_all(requests):
    done = subprocess.run([signer()], input="".join(json.dumps(one) + "\n" for one in requests),
                          stdout=subprocess.PIPE, text=True, check=True, timeout=LIMIT_S,
                          env=environment())
    return [json.loads(line) for line in done.stdout.splitlines()]


ALPHABETS = ("abcXYZ019-._~", "/./..//", " %+'()!*@:;=&$,?#[]|\\\"<>^`{}",
             "äñßΩжש中ሴ🚀\u0301\x7f\x01", "aA ")


def random_text(rng, most, characters=None):
    alphabet = characters or "".join(rng.sample(ALPHABETS, rng.randint(1, len(ALPHABETS))))
    return "".join(rng.choice(alphabet) for _ in range(rng.randint(0, most)))


def random_header(rng):
    name = "x-" + random_text(rng, 6, "abcXYZ-019") + "z"
    blanks = rng.choice(["", " ", "   ", "\t", " \n  "])
    value = blanks.join(random_text(rng, 8, "abcXYZ019-._~/:;=,\"'()äΩ中") for _ in range(3))
    return [name, rng.choice(["", "  "]) + value + rng.choice(["", " "])]


def random_request(rng):
    segments = [rng.choice(["", ".", "..", random_text(rng, 8)]) for _ in range(rng.randint(0, 5))]
    headers = [random_header(rng) for _ in range(rng.randint(0, 4))]
    if headers and rng.random() < 0.3:
        headers.append([headers[0][0].upper(), random_header(rng)[1]])
    query = [[random_text(rng, 6), rng.choice([None, random_text(rng, 8)])]
             for _ in range(rng.randint(0, 6))]
    if query and rng.random() < 0.3:
        query.append([query[0][0], random_text(rng, 3)])
    rng.shuffle(query)
    is_s3 = rng.random() < 0.5
    return request(
        method=rng.choice(["GET", "PUT", "POST", "DELETE", "HEAD"]), path="/" + "/".join(segments),
        query=query, headers=host(*headers), s3=is_s3,
        service="s3" if is_s3 else rng.choice(["ec2", "route53", "ssm"]),
        region=rng.choice(["us-east-1", "eu-central-2", "cn-north-1"]),
        sha256=rng.choice([EMPTY, hashlib.sha256(b"x").hexdigest()] + [UNSIGNED] * is_s3),
        token=rng.choice([None, "Fwo" + random_text(rng, 200, "abcXYZ019+/=")]),
        secret=random_text(rng, 40, "abcXYZ019+/") + "x", when=rng.randint(0, 4102444799))


class Sign(unittest.TestCase):
    maxDiff = None

    def compare(self, given, made):
        canonical, to_sign, signature = expected(given)
        self.assertEqual(made["result"], 0, given)
        self.assertEqual(made["canonical"], canonical, given)
        self.assertEqual(made["to_sign"], to_sign, given)
        line = made["lines"][-1]
        self.assertTrue(line.startswith("Authorization: AWS4-HMAC-SHA256 Credential="
                                        f"{given['key_id']}/"), line)
        self.assertTrue(line.endswith(f", Signature={signature}"), given)
        # What is sent asks for exactly what was given.
        path, _, query = made["target"].partition("?")
        self.assertEqual(urllib.parse.unquote(path), given["path"] or "/")
        self.assertEqual(sorted(urllib.parse.parse_qsl(query, keep_blank_values=True)),
                         sorted((key, value or "") for key, value in given["query"]))

    def test_cases_of_the_published_suite(self):
        given = [request(**case) for case in CASES.values()]
        given += [request(**{**case, "s3": True, "service": "s3"}) for case in CASES.values()]
        for one, made in zip(given, sign_all(given), strict=True):
            self.compare(one, made)

    def test_random_requests(self):
        rng = random.Random(SEED)
        given = [random_request(rng) for _ in range(RANDOM_REQUESTS)]
        for one, made in zip(given, sign_all(given), strict=True):
            self.compare(one, made)

    def test_published_signature(self):
        """AWS's documentation: "get-vanilla" of the suite."""
        made = sign_all([request()])[0]
        self.assertEqual(made["lines"][-1].rpartition("=")[2],
                         "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31")

    def test_token_and_date_are_sent(self):
        made = sign_all([request(token="the-token", s3=True)])[0]
        self.assertIn("X-Amz-Date: 20150830T123600Z", made["lines"])
        self.assertIn("X-Amz-Security-Token: the-token", made["lines"])
        self.assertIn(f"X-Amz-Content-SHA256: {EMPTY}", made["lines"])

    def test_too_many_pairs_are_refused(self):
        many = [[f"a{number}", ""] for number in range(600)]
        for made in sign_all([request(query=many), request(headers=host(*many))]):
            self.assertLess(made["result"], 0)


if __name__ == "__main__":
    unittest.main()
