"""A framework with nothing of Meseta in it: sockets, HTTP by hand, JSON or hand-packed protobuf.

It subscribes, takes the first offer, launches one command, acknowledges every update and leaves.
Usage: plain_http_framework.py HOST:PORT json|protobuf COMMAND
Prints one line a step; exits 0 if the task finished.
"""

import base64
import json
import socket
import struct
import sys

HOST, PORT = sys.argv[1].split(":")
ENCODING = sys.argv[2]
COMMAND = sys.argv[3]
MEDIA = {"json": "application/json", "protobuf": "application/x-protobuf"}[ENCODING]
STATES = {0: "TASK_STARTING", 1: "TASK_RUNNING", 2: "TASK_FINISHED", 3: "TASK_FAILED", 4: "TASK_KILLED", 7: "TASK_ERROR"}


# --- protobuf, just enough: varints, length-delimited fields, doubles -------------------------------------------------


def varint(number):
    out = b""
    while number > 127:
        out += bytes([number & 127 | 128])
        number >>= 7
    return out + bytes([number])


def field(number, value):
    """A field: int as varint, float as double, str and bytes as length-delimited."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    if isinstance(value, float):
        return varint(number << 3 | 1) + struct.pack("<d", value)
    if isinstance(value, str):
        value = value.encode()
    return varint(number << 3 | 2) + varint(len(value)) + value


def parse(data):
    """A message as {field number: [values]}; length-delimited values stay bytes."""
    fields, at = {}, 0

    def read():
        nonlocal at
        shift = result = 0
        while True:
            byte = data[at]
            at += 1
            result |= (byte & 127) << shift
            if byte < 128:
                return result
            shift += 7

    while at < len(data):
        tag = read()
        kind = tag & 7
        if kind == 0:
            value = read()
        elif kind == 1:
            value, at = data[at : at + 8], at + 8
        elif kind == 5:
            value, at = data[at : at + 4], at + 4
        else:
            length = read()
            value, at = data[at : at + length], at + length
        fields.setdefault(tag >> 3, []).append(value)
    return fields


def path(data, *numbers):
    """The first value at a path of field numbers, or None."""
    for number in numbers:
        values = parse(data).get(number)
        if not values:
            return None
        data = values[0]
    return data


# --- the calls, in both encodings -------------------------------------------------------------------------------------


def identifier(value):
    return field(1, value)


def scalar(name, value):
    return field(1, name) + field(2, 0) + field(3, field(1, float(value)))


def subscribe():
    if ENCODING == "json":
        return json.dumps({"type": "SUBSCRIBE", "subscribe": {"framework_info": {"user": "nobody", "name": "plain"}}}).encode()
    return field(2, 1) + field(3, field(1, field(1, "nobody") + field(2, "plain")))


def accept(framework, offer, agent, user):
    if ENCODING == "json":
        task = {
            "name": "plain",
            "task_id": {"value": "plain-1"},
            "agent_id": {"value": agent},
            "resources": [
                {"name": "cpus", "type": "SCALAR", "scalar": {"value": 0.1}},
                {"name": "mem", "type": "SCALAR", "scalar": {"value": 32}},
            ],
            "command": {"value": COMMAND, "shell": True, "user": user},
        }
        operation = {"type": "LAUNCH", "launch": {"task_infos": [task]}}
        call = {"type": "ACCEPT", "framework_id": {"value": framework}, "accept": {"offer_ids": [{"value": offer}], "operations": [operation]}}
        return json.dumps(call).encode()
    task = (
        field(1, "plain")
        + field(2, identifier("plain-1"))
        + field(3, identifier(agent))
        + field(4, scalar("cpus", 0.1))
        + field(4, scalar("mem", 32))
        + field(7, field(3, COMMAND) + field(5, user) + field(6, 1))
    )
    operation = field(1, 1) + field(2, field(1, task))
    return field(1, identifier(framework)) + field(2, 3) + field(4, field(1, identifier(offer)) + field(2, operation))


def acknowledge(framework, agent, task, uuid):
    if ENCODING == "json":
        body = {"agent_id": {"value": agent}, "task_id": {"value": task}, "uuid": base64.b64encode(uuid).decode()}
        return json.dumps({"type": "ACKNOWLEDGE", "framework_id": {"value": framework}, "acknowledge": body}).encode()
    body = field(1, identifier(agent)) + field(2, identifier(task)) + field(3, uuid)
    return field(1, identifier(framework)) + field(2, 8) + field(8, body)


def teardown(framework):
    if ENCODING == "json":
        return json.dumps({"type": "TEARDOWN", "framework_id": {"value": framework}}).encode()
    return field(1, identifier(framework)) + field(2, 2)


def events(record):
    """One record as (type, what the framework needs of it)."""
    if ENCODING == "json":
        event = json.loads(record)
        kind = event["type"]
        if kind == "SUBSCRIBED":
            return kind, event["subscribed"]["framework_id"]["value"]
        if kind == "OFFERS":
            offer = event["offers"]["offers"][0]
            return kind, (offer["id"]["value"], offer["agent_id"]["value"])
        if kind == "UPDATE":
            status = event["update"]["status"]
            uuid = base64.b64decode(status["uuid"]) if "uuid" in status else b""
            return kind, (status["state"], status["agent_id"]["value"], status["task_id"]["value"], uuid)
        return kind, event.get("error", {}).get("message")
    number = path(record, 1)
    if number == 1:
        return "SUBSCRIBED", path(record, 2, 1, 1).decode()
    if number == 2:
        return "OFFERS", (path(record, 3, 1, 1, 1).decode(), path(record, 3, 1, 3, 1).decode())
    if number == 4:
        status = path(record, 5, 1)
        uuid = path(status, 11) or b""
        return "UPDATE", (STATES[path(status, 2)], path(status, 5, 1).decode(), path(status, 1, 1).decode(), uuid)
    if number == 7:
        return "ERROR", path(record, 8, 1).decode()
    return "HEARTBEAT" if number == 8 else "EVENT %s" % number, None


# --- HTTP by hand -----------------------------------------------------------------------------------------------------


def post(body, stream_id=None):
    connection = socket.create_connection((HOST, int(PORT)), timeout=30)
    head = "POST /api/v1/scheduler HTTP/1.1\r\nHost: %s:%s\r\nContent-Type: %s\r\nAccept: %s\r\nContent-Length: %d\r\n" % (HOST, PORT, MEDIA, MEDIA, len(body))
    if stream_id:
        head += "Mesos-Stream-Id: %s\r\n" % stream_id
    connection.sendall(head.encode() + b"\r\n" + body)
    reader = connection.makefile("rb")
    status = int(reader.readline().split()[1])
    headers = {}
    while True:
        line = reader.readline().strip()
        if not line:
            return status, headers, reader
        name, value = line.decode().split(":", 1)
        headers[name.lower()] = value.strip()


def records(reader):
    """The records of a chunked RecordIO stream."""
    buffer = b""
    while True:
        size = int(reader.readline(), 16)
        if size == 0:
            return
        buffer += reader.read(size)
        reader.readline()
        while b"\n" in buffer:
            length, rest = buffer.split(b"\n", 1)
            if len(rest) < int(length):
                break
            yield rest[: int(length)]
            buffer = rest[int(length) :]


def expect(status, wanted, what):
    if status != wanted:
        sys.exit("%s: status %d instead of %d" % (what, status, wanted))


def main():
    user = sys.argv[4] if len(sys.argv) > 4 else "nobody"
    status, headers, reader = post(subscribe())
    expect(status, 200, "SUBSCRIBE")
    if headers.get("content-type") != MEDIA or headers.get("transfer-encoding") != "chunked":
        sys.exit("SUBSCRIBE: unexpected headers %r" % headers)
    stream_id = headers["mesos-stream-id"]
    framework = None
    launched = False
    for record in records(reader):
        kind, what = events(record)
        if kind == "SUBSCRIBED":
            framework = what
            print("subscribed")
        elif kind == "OFFERS" and not launched:
            launched = True
            offer, agent = what
            expect(post(accept(framework, offer, agent, user), stream_id)[0], 202, "ACCEPT")
            print("launched")
        elif kind == "UPDATE":
            state, agent, task, uuid = what
            print(state)
            if uuid:
                expect(post(acknowledge(framework, agent, task, uuid), stream_id)[0], 202, "ACKNOWLEDGE")
                print("acknowledged")
            if state not in ("TASK_STARTING", "TASK_RUNNING"):
                expect(post(teardown(framework), stream_id)[0], 202, "TEARDOWN")
                print("torn down")
                sys.exit(0 if state == "TASK_FINISHED" else 1)
        elif kind == "ERROR":
            sys.exit("ERROR event: %s" % what)
    sys.exit("the stream ended early")


main()
