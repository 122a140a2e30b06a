#!/usr/bin/python3
"""Calls by support/aws.h to services that botocore judges: every protocol, faults, words."""

import errno
import json
import time
import unittest

from aws_judge import Fault, SECRET
from support import AwsTest, IDENTITY, ROLE, ROLES_ITEM, role_answer

TARGETS = {"kind": "query", "service": "elastic_load_balancing_v2", "action": "RegisterTargets",
           "parameters": [["TargetGroupArn", "arn:aws:elasticloadbalancing:eu:1:targetgroup/a/b"],
                          ["Targets.member.1.Id", "i-0123"], ["Targets.member.1.Port", "80"]]}
TAGS = {"kind": "query", "service": "ec2", "action": "CreateTags",
        "parameters": [["ResourceId.1", "i-0123"], ["Tag.1.Key", "Name"],
                       ["Tag.1.Value", "a b&c=ä+%"]]}
PARAMETER = {"kind": "json", "service": "ssm", "operation": "GetParameter",
             "input": {"Name": "/web/ä", "WithDecryption": True}}
GET_CHANGE = {"kind": "plain", "service": "route_53", "operation": "GetChange",
              "path": "/2013-04-01/change/C0123"}
CHANGE = {"kind": "plain", "service": "route_53", "operation": "ChangeResourceRecordSets",
          "method": "POST", "path": "/2013-04-01/hostedzone/Z0123/rrset/",
          "headers": [["Content-Type", "text/xml"]],
          "body": '<?xml version="1.0" encoding="UTF-8"?>\n<ChangeResourceRecordSetsRequest '
                  'xmlns="https://route53.amazonaws.com/doc/2013-04-01/"><ChangeBatch><Changes>'
                  "<Change><Action>UPSERT</Action><ResourceRecordSet><Name>a.example.com</Name>"
                  "<Type>A</Type><TTL>60</TTL><ResourceRecords><ResourceRecord>"
                  "<Value>192.0.2.1</Value></ResourceRecord></ResourceRecords>"
                  "</ResourceRecordSet></Change></Changes></ChangeBatch>"
                  "</ChangeResourceRecordSetsRequest>"}
OBJECT = {"kind": "plain", "service": "s3", "operation": "GetObject", "bucket": "site",
          "path": "/a//b/../c d+%ä'(1)~.txt"}


class Protocols(AwsTest):
    def test_query(self):
        self.judge.answer("GetCallerIdentity", {"Account": "123456789012"})
        answers = self.call(IDENTITY, TARGETS)
        self.assert_good(answers[0])
        self.assert_good(answers[1])
        self.assertIn("<Account>123456789012</Account>", answers[0]["body"])
        self.judge.assert_well()
        self.assertEqual(self.judge.calls("RegisterTargets")[0].parameters["Targets"],
                         [{"Id": "i-0123", "Port": 80}])

    def test_ec2(self):
        self.assert_good(self.call(TAGS)[0])
        self.judge.assert_well()
        self.assertEqual(self.judge.calls("CreateTags")[0].parameters["Tags"],
                         [{"Key": "Name", "Value": "a b&c=ä+%"}])

    def test_json(self):
        self.judge.answer("GetParameter", {"Parameter": {"Name": "/web/ä", "Value": "geheim"}})
        answer = self.call(PARAMETER)[0]
        self.assert_good(answer)
        self.assertEqual(answer["output"]["Parameter"]["Value"], "geheim")
        self.judge.assert_well()

    def test_rest_xml(self):
        for call in (CHANGE, GET_CHANGE):
            self.assert_good(self.call(call)[0])
        self.judge.assert_well()
        calls = self.judge.calls()
        self.assertEqual([call.operation for call in calls],
                         ["ChangeResourceRecordSets", "GetChange"])
        # One endpoint and region for all regions.
        self.assertEqual({call.region for call in calls}, {"us-east-1"})

    def test_s3_with_an_awkward_key(self):
        self.judge.answer("GetObject", {"Body": "the content", "ETag": '"e"'})
        for how in ({}, {"sink": True}):
            answer = self.call({**OBJECT, **how, "headers": [["Range", "bytes=0-99"],
                                                             ["If-Match", '"e"']]})[0]
            self.assert_good(answer)
            self.assertEqual(answer["body"], "the content")
        self.judge.assert_well()
        call = self.judge.calls("GetObject")[0]
        self.assertEqual(call.parameters["Key"], OBJECT["path"][1:])
        self.assertEqual(call.parameters["Bucket"], "site")
        self.assertIn("range;", call.request.headers["Authorization"])

    def test_s3_puts_signed_and_unsigned(self):
        put = {**OBJECT, "operation": "PutObject", "method": "PUT", "body": "x" * 3000}
        for how in ({}, {"source": True}):
            self.assert_good(self.call({**put, **how})[0])
        self.judge.assert_well()
        signed, unsigned = self.judge.calls("PutObject")
        self.assertEqual(signed.parameters["Body"], unsigned.parameters["Body"])
        self.assertEqual(unsigned.request.headers["X-Amz-Content-SHA256"], "UNSIGNED-PAYLOAD")

    def test_session_token_is_signed(self):
        self.judge.credentials = ("AKID2", SECRET, "the/token+==")
        self.assert_good(self.call(IDENTITY)[0])
        self.judge.assert_well()
        request = self.judge.calls()[0].request
        self.assertIn("x-amz-security-token", request.headers["Authorization"])

    def test_anonymous_request_has_no_signature(self):
        self.call({**OBJECT, "anonymous": True}, credentials=False)
        self.assertEqual(self.judge.problems(), ["None: it is not signed"])
        self.assertNotIn("Authorization", self.judge.calls()[0].request.headers)

    def test_many_at_once(self):
        self.judge.refuse("GetChange", "Throttling", times=5)
        answers = self.call({**GET_CHANGE, "times": 40})
        self.assertEqual(len(answers), 40)
        for answer in answers:
            self.assert_good(answer)
        self.judge.assert_well()


class Words(AwsTest):
    def test_errors_of_every_protocol(self):
        for call, operation, place in ((TARGETS, "RegisterTargets", "Elastic Load Balancing"),
                                       (TAGS, "CreateTags", "EC2"),
                                       (PARAMETER, "GetParameter", "Systems Manager"),
                                       (GET_CHANGE, "GetChange", "Route 53"),
                                       (OBJECT, "GetObject", "S3")):
            with self.subTest(operation):
                self.judge.refuse(operation, "AccessDenied", "User <x> may\nnot & so on",
                                  status=403)
                answer = self.call(call)[0]
                self.assertEqual(answer["result"], -errno.EACCES)
                self.assert_refused(answer, "AccessDenied", f"{place} refused {operation}",
                                    "User <x> may not & so on", "allow it in its policy",
                                    "AWS_ACCESS_KEY_ID", self.judge.url)
                self.assertEqual(answer["attempts"], 1)

    def test_codes_and_what_the_call_returns(self):
        for code, status, number in (
                ("NoSuchBucket", 404, errno.ENOENT), ("NoSuchKey", 404, errno.ENOENT),
                ("PreconditionFailed", 412, errno.ESTALE), ("InvalidRange", 416, errno.ERANGE),
                ("ValidationError", 400, errno.EINVAL), ("BucketAlreadyExists", 409, errno.EEXIST),
                ("SignatureDoesNotMatch", 403, errno.EACCES),
                ("ExpiredToken", 400, errno.EKEYEXPIRED)):
            self.judge.refuse("GetObject", code, "words", status=status)
            answer = self.call(OBJECT)[0]
            self.assertEqual(answer["result"], -number, answer)
            self.assert_refused(answer, code, "bucket site", "words")

    def test_unmodified_is_no_failure(self):
        self.judge.fault("GetObject", Fault(status=304))
        answer = self.call(OBJECT)[0]
        self.assertEqual((answer["result"], answer["status"]), (0, 304))

    def test_ec2_s_encoded_message_is_left_out(self):
        self.judge.refuse("CreateTags", "UnauthorizedOperation",
                          "You may not. Encoded authorization failure message: " + "Ab1" * 400,
                          status=403)
        answer = self.call(TAGS)[0]
        self.assertEqual(answer["message"], "You may not.")

    def test_control_characters_are_not_passed_on(self):
        self.judge.fault(None, Fault(status=400, body=json.dumps(
            {"__type": "x#Bad", "message": "a\x1b[31mb\x00c"}).encode()))
        answer = self.call(PARAMETER)[0]
        self.assert_refused(answer, "Bad", "a [31mb")
        self.assertNotIn("\x1b", answer["why"])

    def test_long_messages_are_cut_between_characters(self):
        self.judge.refuse("GetCallerIdentity", "X", "ä" * 2000)
        answer = self.call(IDENTITY)[0]
        self.assertEqual(answer["message"], "ä" * 255)

    def test_answers_that_are_none(self):
        for body in (b"", b"<html>proxy</html>", b"{", b"<a><b>", b"\x00\xff", b"<Error/>"):
            self.judge.fault(None, Fault(status=400, body=body))
            answer = self.call(IDENTITY)[0]
            self.assert_refused(answer, "", "it answered 400 Bad Request")
            self.assertEqual(answer["result"], -errno.EINVAL)

    def test_json_that_is_none(self):
        self.judge.fault(None, Fault(status=200, body=b"<html>proxy</html>"))
        answer = self.call(PARAMETER)[0]
        self.assertEqual(answer["result"], -errno.EPROTO)
        self.assertIn("no JSON", answer["why"])

    def test_head_without_body(self):
        self.judge.fault(None, Fault(status=403))
        answer = self.call({**OBJECT, "method": "HEAD", "operation": "HeadObject"})[0]
        self.assert_refused(answer, "", "it answered 403 Forbidden", "no such object")
        self.assertEqual(answer["result"], -errno.EACCES)

    def test_nothing_that_listens(self):
        answer = self.call({**GET_CHANGE, "attempts": 2},
                           variables={"AWS_ENDPOINT_URL": "http://127.0.0.1:9"})[0]
        self.assertEqual(answer["attempts"], 2)
        self.assertEqual(answer["result"], -errno.ECONNREFUSED)
        self.assertIn("Route 53 GetChange (at http://127.0.0.1:9): cannot connect to 127.0.0.1 "
                      "port 9: Connection refused", answer["why"])

    def test_secrets_are_in_no_words(self):
        self.judge.credentials = ("AKID2", "the+secret", "the+token")
        self.judge.refuse(None, "AccessDenied", "no", status=403)
        answers = self.call(IDENTITY)
        self.assertNotIn("the+secret", json.dumps([answers, answers.log]))
        self.assertNotIn("the+token", json.dumps([answers, answers.log]))


class Retries(AwsTest):
    def test_throttling_and_faults_of_the_service(self):
        for code, status in (("Throttling", 400), ("RequestLimitExceeded", 503),
                             ("SlowDown", 503), ("InternalFailure", 500),
                             ("PriorRequestNotComplete", 400)):
            self.judge.refuse("GetCallerIdentity", code, status=status, times=2)
            answer = self.call(IDENTITY)[0]
            self.assert_good(answer)
            self.assertEqual(answer["attempts"], 3)

    def test_statuses_without_a_code(self):
        for status in (500, 502, 503, 504, 429, 408):
            self.judge.fault(None, Fault(status=status))
            answer = self.call(IDENTITY)[0]
            self.assert_good(answer)
            self.assertEqual(answer["attempts"], 2)

    def test_broken_connections(self):
        self.judge.fault(None, Fault(cut=0))
        self.judge.fault(None, Fault(cut=40))
        self.judge.answer("GetObject", {"Body": "x" * 50000})
        self.judge.fault("GetObject", Fault(cut=20000))
        self.assert_good(self.call(IDENTITY)[0])
        answer = self.call({**OBJECT, "sink": True})[0]
        self.assert_good(answer)
        self.assertEqual(answer["body"], "x" * 50000)
        self.assertEqual(answer["attempts"], 2)

    def test_what_was_refused_is_not_asked_again(self):
        for code in ("ValidationError", "AccessDenied", "NoSuchEntity"):
            self.judge.refuse("GetCallerIdentity", code, status=400)
            self.assertEqual(self.call(IDENTITY)[0]["attempts"], 1)

    def test_there_is_an_end(self):
        self.judge.refuse("GetObject", "SlowDown", status=503, times=9)
        answer = self.call({**OBJECT, "attempts": 3})[0]
        self.assert_refused(answer, "SlowDown", "at the last of 3 attempts")
        self.assertEqual((answer["result"], answer["attempts"]), (-errno.EAGAIN, 3))

    def test_retry_after_is_waited_for(self):
        self.judge.refuse("GetCallerIdentity", "SlowDown", status=503,
                          headers={"Retry-After": "2"})
        start = time.monotonic()
        self.assert_good(self.call(IDENTITY)[0])
        self.assertGreaterEqual(time.monotonic() - start, 2)

    def test_every_attempt_is_signed_anew(self):
        self.judge.fault(None, Fault(status=503, headers={"Retry-After": "1"}), times=2)
        self.assert_good(self.call(IDENTITY)[0])
        self.judge.assert_well()
        dates = {call.request.headers["X-Amz-Date"] for call in self.judge.calls()}
        self.assertGreaterEqual(len(dates), 2)

    def test_success_that_is_a_failure(self):
        """S3's CompleteMultipartUpload may say 200 before it knows."""
        error = b"<?xml version='1.0'?>\n<Error><Code>InternalError</Code></Error>"
        self.judge.fault(None, Fault(status=200, body=error))
        complete = {**OBJECT, "method": "POST", "operation": "CompleteMultipartUpload",
                    "query": [["uploadId", "u"]]}
        answer = self.call(complete)[0]
        self.assert_good(answer)
        self.assertEqual(answer["attempts"], 2)


class Clock(AwsTest):
    def test_wrong_by_an_hour_either_way(self):
        for seconds, word in ((3600, "behind"), (-7200, "ahead of")):
            self.judge.clock_s = seconds
            for call, name in ((IDENTITY, "STS"), (TAGS, "EC2"), (PARAMETER, "Systems Manager"),
                               (OBJECT, "S3")):
                self.judge.answer("GetObject", {"Body": ""})
                answers = self.call(call, call)
                self.assert_good(answers[0])
                self.assertEqual(answers[0]["attempts"], 2)
                # It is remembered.
                self.assertEqual(answers[1]["attempts"], 1)
                self.assertEqual(len(answers.log), 1)
                self.assertRegex(answers.log[0], rf"clock is \d+ s {word}.*{name}")

    def test_right_clock_is_left_alone(self):
        self.judge.refuse("GetCallerIdentity", "SignatureDoesNotMatch", status=403)
        answers = self.call(IDENTITY)
        self.assert_refused(answers[0], "SignatureDoesNotMatch", "secret key")
        self.assertEqual((answers[0]["attempts"], answers.log), (1, []))

    def test_it_is_corrected_once(self):
        self.judge.clock_s = 3600
        self.judge.refuse(None, "AccessDenied", status=403, times=3)
        self.assertEqual(self.call(IDENTITY)[0]["attempts"], 2)

    def test_role_s_credentials_are_renewed_by_the_services_clock(self):
        """The machine's clock is a day behind, so that it takes ended credentials for good ones."""
        self.judge.clock_s = 86400
        now = time.time() + 86400
        stamp = [time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now + more))
                 for more in (-60, 3600)]
        key_id, secret, _ = self.judge.credentials
        self.judge.credentials = (key_id, secret, "new")
        metadata = {ROLES_ITEM: ROLE, ROLES_ITEM + ROLE: [
            role_answer(key_id, secret, "old", stamp[0]),
            role_answer(key_id, secret, "new", stamp[1])]}
        answers = self.call(IDENTITY, metadata=metadata, credentials=False)
        self.assert_good(answers[0])


class Elsewhere(AwsTest):
    """Buckets in other regions."""

    def moved(self, status=301, code="PermanentRedirect", body="", headers=None):
        text = f"<?xml version='1.0'?><Error><Code>{code}</Code>{body}</Error>"
        return Fault(status=status, body=text.encode(), headers=headers or {})

    def regions(self):
        return [call.region for call in self.judge.calls()]

    def test_by_header_and_by_body_and_remembered(self):
        self.judge.answer("GetObject", {"Body": ""})
        for fault in (self.moved(headers={"x-amz-bucket-region": "ap-south-1"}),
                      self.moved(400, "AuthorizationHeaderMalformed",
                                 "<Region>ap-south-1</Region>"),
                      self.moved(307, "TemporaryRedirect",
                                 headers={"x-amz-bucket-region": "ap-south-1"})):
            self.judge.all.clear()
            self.judge.fault(None, fault)
            answers = self.call(OBJECT, OBJECT)
            self.assert_good(answers[0])
            self.assert_good(answers[1])
            self.assertEqual(self.regions(), ["eu-central-2", "ap-south-1", "ap-south-1"])

    def test_head_has_the_header_alone(self):
        self.judge.fault(None, Fault(status=301, headers={"x-amz-bucket-region": "ap-south-1"}))
        self.assert_good(self.call({**OBJECT, "method": "HEAD"})[0])
        self.assertEqual(self.regions(), ["eu-central-2", "ap-south-1"])

    def test_once_only(self):
        for region in ("ap-south-1", "ap-south-2"):
            self.judge.fault(None, self.moved(headers={"x-amz-bucket-region": region}))
        answer = self.call(OBJECT)[0]
        self.assert_refused(answer, "PermanentRedirect", "another region")
        self.assertEqual(self.regions(), ["eu-central-2", "ap-south-1"])

    def test_region_that_is_none_is_not_followed(self):
        self.judge.fault(None, self.moved(headers={"x-amz-bucket-region": "evil.example/x"}))
        self.assertLess(self.call(OBJECT)[0]["result"], 0)
        self.assertEqual(self.regions(), ["eu-central-2"])


if __name__ == "__main__":
    unittest.main()
