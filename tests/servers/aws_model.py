"""Requests and answers of AWS's services by the models that Debian's botocore carries.

decode() finds out which operation a request is and what its parameters are, and lists what is wrong
with it: validated by botocore, and serialised again and compared with what came. encode() makes an
answer of the operation's output shape, and checks it with botocore's own parser. The protocols are
query, ec2, rest-xml and json.
"""

import base64
import calendar
import datetime
import json
import re
import urllib.parse
import xml.etree.ElementTree as ET
from xml.sax.saxutils import escape

from botocore import awsrequest, parsers, serialize, session, validate

_SESSION = session.Session()
_MODELS = {}
REQUEST_ID = "01234567-89ab-cdef-0123-456789abcdef"

# Models by the signature's service; a version tells Elastic Load Balancing's two apart.
MODEL_NAMES = {("elasticloadbalancing", "2015-12-01"): "elbv2",
               ("elasticloadbalancing", None): "elb"}


class Request:
    """A request as it came."""

    def __init__(self, method, target, headers, body):
        self.method = method
        self.path, _, self.query = target.partition("?")
        self.target = target
        self.headers = headers  # a mapping without case
        self.body = body


class Decoded:
    """Which operation it is, its parameters, and what is wrong with it."""

    def __init__(self, operation, parameters, problems):
        self.operation = operation
        self.parameters = parameters
        self.problems = problems


class NoOperation(Exception):
    """It is none of the service's."""


def model_of(service, version=None):
    name = MODEL_NAMES.get((service, version)) or MODEL_NAMES.get((service, None), service)
    if name not in _MODELS:
        _MODELS[name] = _SESSION.get_service_model(name)
    return _MODELS[name]


def decode(service, request):
    form = _form(request)
    model = model_of(service, form.get("Version"))
    reader = {"query": _decode_query, "ec2": _decode_query, "json": _decode_json,
              "rest-xml": _decode_rest}[model.protocol]
    operation, parameters, problems = reader(model, request, form)
    shape = operation.input_shape
    if shape is not None:
        report = validate.ParamValidator().validate(parameters, shape)
        if report.has_errors():
            problems.append(report.generate_report())
    if not problems:
        again = serialize.create_serializer(model.protocol, False).serialize_to_request(
            parameters, operation)
        problems += _differences(model, request, form, again)
    return Decoded(operation, parameters, problems)


def _form(request):
    if not request.headers.get("Content-Type", "").startswith("application/x-www-form-urlencoded"):
        return {}
    pairs = urllib.parse.parse_qsl(request.body.decode(), keep_blank_values=True)
    if len(dict(pairs)) != len(pairs):
        raise NoOperation("a field of the form is there twice")
    return dict(pairs)


# ---- requests ----


def _decode_query(model, request, form):
    problems = []
    if form.get("Action") not in model.operation_names:
        raise NoOperation(f"no Action of {model.service_name}: {form.get('Action')}")
    if (request.method, request.target) != ("POST", "/"):
        problems.append(f"asked by {request.method} {request.target}")
    if form.get("Version") != model.api_version:
        problems.append(f"Version {form.get('Version')} is not {model.api_version}")
    operation = model.operation_model(form["Action"])
    fields = {key: value for key, value in form.items() if key not in ("Action", "Version")}
    parameters = {}
    if operation.input_shape is not None:
        serializer = serialize.create_serializer(model.protocol, False)
        parameters = _fields(operation.input_shape, fields, "", serializer)
    return operation, parameters, problems


def _below(fields, prefix):
    return any(key == prefix or key.startswith(f"{prefix}.") for key in fields)


def _fields(shape, fields, prefix, serializer):
    """What the fields below a prefix stand for."""
    kind = shape.type_name
    if kind == "structure":
        found = {}
        for name, member in shape.members.items():
            wire = serializer._get_serialized_name(member, name)
            path = f"{prefix}.{wire}" if prefix else wire
            if kind_is_flat(member, serializer) and member.member.serialization.get("name"):
                path = ".".join(path.split(".")[:-1] + [member.member.serialization["name"]])
            if _below(fields, path):
                found[name] = _fields(member, fields, path, serializer)
        return found
    if kind == "list":
        is_flat = shape.serialization.get("flattened") or \
            isinstance(serializer, serialize.EC2Serializer)
        base = prefix if is_flat else \
            f"{prefix}.{shape.member.serialization.get('name', 'member')}"
        found = []
        while _below(fields, f"{base}.{len(found) + 1}"):
            found.append(_fields(shape.member, fields, f"{base}.{len(found) + 1}", serializer))
        return found
    if kind == "map":
        base = prefix if shape.serialization.get("flattened") else f"{prefix}.entry"
        key_name = shape.key.serialization.get("name", "key")
        value_name = shape.value.serialization.get("name", "value")
        found, number = {}, 1
        while _below(fields, f"{base}.{number}"):
            key = _fields(shape.key, fields, f"{base}.{number}.{key_name}", serializer)
            found[key] = _fields(shape.value, fields, f"{base}.{number}.{value_name}", serializer)
            number += 1
        return found
    return _scalar(shape, fields.get(prefix, ""))


def kind_is_flat(shape, serializer):
    return shape.type_name == "list" and shape.serialization.get("flattened") and \
        not isinstance(serializer, serialize.EC2Serializer)


def _scalar(shape, text):
    kind = shape.type_name
    if kind in ("integer", "long"):
        return int(text)
    if kind in ("float", "double"):
        return float(text)
    if kind == "boolean":
        return {"true": True, "false": False}.get(text, text)
    if kind == "blob":
        return base64.b64decode(text)
    return text


def _decode_json(model, request, _form_of_it):
    problems = []
    prefix, _, name = request.headers.get("X-Amz-Target", "").partition(".")
    if name not in model.operation_names:
        raise NoOperation(f"no operation of {model.service_name}: {name}")
    if prefix != model.metadata["targetPrefix"]:
        problems.append(f"X-Amz-Target begins with {prefix}")
    if (request.method, request.target) != ("POST", "/"):
        problems.append(f"asked by {request.method} {request.target}")
    wanted = f"application/x-amz-json-{model.metadata['jsonVersion']}"
    if request.headers.get("Content-Type") != wanted:
        problems.append(f"Content-Type {request.headers.get('Content-Type')} is not {wanted}")
    return model.operation_model(name), json.loads(request.body), problems


def _uri_pattern(uri):
    """The expression that a path is matched with, and the fixed part of the query."""
    path, _, query = uri.partition("?")
    pattern = ""
    for piece in re.split(r"(\{[^}]+\})", path):
        label = re.fullmatch(r"\{([^}+]+)(\+?)\}", piece)
        pattern += f"(?P<{label[1]}>{'.+' if label[2] else '[^/]+'})" if label \
            else re.escape(piece)
    return re.compile(pattern), dict(urllib.parse.parse_qsl(query, keep_blank_values=True))


def _find_rest_operation(model, request):
    query = dict(urllib.parse.parse_qsl(request.query, keep_blank_values=True))
    found = []
    for name in model.operation_names:
        operation = model.operation_model(name)
        pattern, fixed = _uri_pattern(operation.http["requestUri"])
        match = pattern.fullmatch(request.path)
        required = {member.serialization.get("name", key)
                    for key, member in (operation.input_shape.members.items()
                                        if operation.input_shape else ())
                    if key in operation.input_shape.required_members and
                    member.serialization.get("location") == "querystring"}
        if match and operation.http["method"] == request.method and required <= set(query) and \
                fixed.items() <= query.items():
            found.append((len(fixed) + len(required), -len(match.groupdict()), name, match))
    if not found:
        raise NoOperation(f"no operation of {model.service_name}: {request.method} {request.path}")
    _, _, name, match = max(found)
    return model.operation_model(name), match.groupdict(), query


def _decode_rest(model, request, _form_of_it):
    operation, labels, query = _find_rest_operation(model, request)
    shape, parameters = operation.input_shape, {}
    if shape is None:
        return operation, parameters, []
    payload = shape.serialization.get("payload")
    for name, member in shape.members.items():
        wire = member.serialization.get("name", name)
        location = member.serialization.get("location")
        if location == "uri":
            parameters[name] = urllib.parse.unquote(labels[wire])
        elif location == "querystring" and wire in query:
            parameters[name] = _scalar(member, query[wire])
        elif location == "header" and wire in request.headers:
            parameters[name] = _scalar(member, request.headers[wire])
        elif name == payload and request.body:
            parameters[name] = request.body if member.type_name in ("blob", "string") \
                else _parse_xml(member, request.body)
    if request.body and not payload:
        parameters.update(_parse_xml(shape, request.body))
    return operation, parameters, []


def _parse_xml(shape, body):
    found = parsers.RestXMLParser(timestamp_parser=str)._parse_shape(shape, ET.fromstring(body))
    return _without_nothing(found)


def _without_nothing(value):
    """Without the members that were not there, which the parser makes empty lists."""
    if isinstance(value, dict):
        return {key: _without_nothing(one) for key, one in value.items() if one not in ([], {})}
    return [_without_nothing(one) for one in value] if isinstance(value, list) else value


def _differences(model, request, form, again):
    """What botocore would have sent otherwise."""
    wrong = []
    if model.protocol in ("query", "ec2"):
        body = {key: str(value) for key, value in again["body"].items()}
        if body != form:
            wrong.append(f"the form is not what botocore makes: {form}, {body}")
        return wrong
    if model.protocol == "json":
        if json.loads(again["body"]) != json.loads(request.body):
            wrong.append(f"the JSON is not what botocore makes: {again['body']}")
        return wrong
    if urllib.parse.unquote(again["url_path"].partition("?")[0]) != \
            urllib.parse.unquote(request.path):
        wrong.append(f"the path is not what botocore makes: {again['url_path']}")
    query = {**dict(urllib.parse.parse_qsl(again["url_path"].partition("?")[2],
                                           keep_blank_values=True)),
             **{key: str(value) for key, value in again["query_string"].items()}}
    if query != dict(urllib.parse.parse_qsl(request.query, keep_blank_values=True)):
        wrong.append(f"the query is not what botocore makes: {request.query}, {query}")
    if again["body"] != request.body and not _same_xml(again["body"], request.body):
        wrong.append(f"the body is not what botocore makes: {again['body']}")
    return wrong


def _same_xml(one, other):
    try:
        return ET.canonicalize(one.decode(), strip_text=True) == \
            ET.canonicalize(other.decode(), strip_text=True)
    except (ET.ParseError, UnicodeDecodeError):
        return False


# ---- answers ----


def encode(operation, output):
    """(headers, body) of an answer with this output; botocore reads it as just that."""
    model = operation.service_model
    headers = {"x-amzn-RequestId": REQUEST_ID}
    if model.protocol == "json":
        headers["Content-Type"] = f"application/x-amz-json-{model.metadata['jsonVersion']}"
        shape = operation.output_shape
        body = json.dumps(_json(shape, output) if shape else {}).encode()
    elif model.protocol == "rest-xml":
        body = _encode_rest(operation, output, headers)
    else:
        headers["Content-Type"] = "text/xml"
        body = _encode_query(operation, output)
    _check(operation, output, headers, body)
    return headers, body


def _check(operation, output, headers, body):
    if operation.output_shape is None:
        return
    parser = parsers.create_parser(operation.service_model.protocol)
    parsed = parser.parse({"status_code": 200, "headers": awsrequest.HeadersDict(headers),
                           "body": body}, operation.output_shape)
    parsed.pop("ResponseMetadata", None)
    missing = {key: value for key, value in _comparable(output).items()
               if _comparable(parsed).get(key) != value and value not in ([], {})}
    if missing:
        raise AssertionError(f"{operation.name} has no such output: {missing}; read: {parsed}")


def _comparable(value):
    if isinstance(value, dict):
        return {key: _comparable(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_comparable(one) for one in value]
    if isinstance(value, datetime.datetime):
        return calendar.timegm(value.utctimetuple())
    return value.decode() if isinstance(value, bytes) else value


def _json(shape, value):
    if shape.type_name == "structure":
        return {shape.members[key].serialization.get("name", key):
                _json(shape.members[key], one) for key, one in value.items()}
    if shape.type_name == "list":
        return [_json(shape.member, one) for one in value]
    if shape.type_name == "map":
        return {key: _json(shape.value, one) for key, one in value.items()}
    if shape.type_name == "timestamp":
        return calendar.timegm(value.utctimetuple())
    if shape.type_name == "blob":
        return base64.b64encode(value).decode()
    return value


def _text(shape, value):
    if shape.type_name == "boolean":
        return "true" if value else "false"
    if shape.type_name == "timestamp":
        return value.strftime("%Y-%m-%dT%H:%M:%SZ")
    if shape.type_name == "blob":
        return base64.b64encode(value).decode()
    return escape(str(value))


def _xml(shape, name, value):
    """The elements of a value under a name."""
    if shape.type_name == "structure":
        return f"<{name}>{_members(shape, value)}</{name}>"
    if shape.type_name == "list":
        inner = shape.member.serialization.get("name")
        if shape.serialization.get("flattened"):
            return "".join(_xml(shape.member, inner or name, one) for one in value)
        items = "".join(_xml(shape.member, inner or "member", one) for one in value)
        return f"<{name}>{items}</{name}>"
    if shape.type_name == "map":
        key_name = shape.key.serialization.get("name") or "key"
        value_name = shape.value.serialization.get("name") or "value"
        entries = "".join(f"<entry>{_xml(shape.key, key_name, key)}"
                          f"{_xml(shape.value, value_name, one)}</entry>"
                          for key, one in value.items())
        return f"<{name}>{entries}</{name}>"
    return f"<{name}>{_text(shape, value)}</{name}>"


def _members(shape, value):
    return "".join(_xml(shape.members[key], shape.members[key].serialization.get("name", key), one)
                   for key, one in value.items()
                   if "location" not in shape.members[key].serialization)


def _encode_query(operation, output):
    model, shape = operation.service_model, operation.output_shape
    space = model.metadata.get("xmlNamespace", "")
    inner = _members(shape, output) if shape else ""
    if model.protocol == "ec2":
        inner = f"<requestId>{REQUEST_ID}</requestId>{inner}"
    else:
        wrapper = shape.serialization.get("resultWrapper") if shape else None
        inner = f"<{wrapper}>{inner}</{wrapper}>" if wrapper else inner
        inner += f"<ResponseMetadata><RequestId>{REQUEST_ID}</RequestId></ResponseMetadata>"
    name = f"{operation.name}Response"
    return (f'<?xml version="1.0" encoding="UTF-8"?>\n<{name} xmlns="{space}">{inner}'
            f"</{name}>").encode()


def _encode_rest(operation, output, headers):
    shape = operation.output_shape
    if shape is None:
        return b""
    payload = shape.serialization.get("payload")
    for key, value in output.items():
        member = shape.members[key]
        if member.serialization.get("location") == "header":
            headers[member.serialization.get("name", key)] = _text(member, value)
    if payload and shape.members[payload].type_name in ("blob", "string"):
        body = output.get(payload, b"")
        return body if isinstance(body, bytes) else body.encode()
    if all("location" in member.serialization for member in shape.members.values()):
        return b""
    headers["Content-Type"] = "text/xml"
    if payload:
        shape, output = shape.members[payload], output.get(payload, {})
    name = shape.serialization.get("name", shape.name)
    space = "".join(f' xmlns="{one["uri"]}"' for one in [shape.serialization.get("xmlNamespace")]
                    if one)
    return (f'<?xml version="1.0" encoding="UTF-8"?>\n<{name}{space}>{_members(shape, output)}'
            f"</{name}>").encode()


def encode_error(service, version, code, message, status):
    """(headers, body) of a refusal in the service's protocol."""
    model = model_of(service, version)
    words, headers = escape(message), {"x-amzn-RequestId": REQUEST_ID}
    if model.protocol == "json":
        headers["Content-Type"] = f"application/x-amz-json-{model.metadata['jsonVersion']}"
        return headers, json.dumps({"__type": f"com.amazonaws.{service}#{code}",
                                    "message": message}).encode()
    headers["Content-Type"] = "text/xml"
    if model.protocol == "ec2":
        text = (f"<Response><Errors><Error><Code>{code}</Code><Message>{words}</Message></Error>"
                f"</Errors><RequestID>{REQUEST_ID}</RequestID></Response>")
    elif service == "s3":
        text = (f"<Error><Code>{code}</Code><Message>{words}</Message>"
                f"<RequestId>{REQUEST_ID}</RequestId></Error>")
    else:
        space = model.metadata.get("xmlNamespace", "https://route53.amazonaws.com/doc/2013-04-01/")
        kind = "Sender" if status < 500 else "Receiver"
        text = (f'<ErrorResponse xmlns="{space}"><Error><Type>{kind}</Type><Code>{code}</Code>'
                f"<Message>{words}</Message></Error><RequestId>{REQUEST_ID}</RequestId>"
                "</ErrorResponse>")
    return headers, f'<?xml version="1.0"?>\n{text}'.encode()
