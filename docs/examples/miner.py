"""A miner in Python, by the RPC of any node: is scored as a module, and answers tasks that ask for bytes.

    python3 -m venv venv
    venv/bin/pip install --require-hashes --only-binary=:all: -r docs/examples/requirements.txt
    SECRET=//Charlie venv/bin/python docs/examples/miner.py ws://127.0.0.1:9944 NAME answers salts

NAME is that of a module that the account of SECRET has registered; its endpoint is served by another program. `answers`
is a folder with a file for each task to answer, named by the task's number. `salts` is the folder in which commitments
are kept before they are sent: without its salt a commitment cannot be opened, and its bond is lost. The program goes
on where it was when it is started again, or when the node is.
"""

import base64
import json
import os
import pathlib
import secrets
import sys
import time
from hashlib import blake2b

from async_substrate_interface.errors import SubstrateRequestException
from async_substrate_interface.sync_substrate import SubstrateInterface
from bittensor_wallet import Keypair
from websockets.exceptions import WebSocketException

LEAF = 4_096  # bytes
PART = 1 << 20  # bytes that are given to the node at once


def digest(*parts):
    return blake2b(b"".join(parts), digest_size=32).digest()


class Bytes:
    """Plain bytes as a tensor, as docs/numerics.md defines it."""

    def __init__(self, data):
        header = b"ENST\x01\0\0\0" + len(data).to_bytes(4, "little") + (1).to_bytes(4, "little")
        level = [digest(b"\0", data[at : at + LEAF]) for at in range(0, len(data), LEAF)]
        while len(level) > 1:
            pairs = [level[at : at + 2] for at in range(0, len(level), 2)]
            level = [digest(b"\1", *pair) if len(pair) == 2 else pair[0] for pair in pairs]
        self.root = level[0]
        self.id = digest(b"\2", header, self.root)
        self.encoded = header + data
        self.descriptor = {"header": {"kind": "Bytes", "rows": len(data), "cols": 1}, "root": "0x" + self.root.hex()}


class Miner:
    def __init__(self, chain, key, name, answers, salts):
        self.chain, self.key, self.name = chain, key, name
        self.answers, self.salts = answers, salts / chain.get_block_hash(0)[2:18]
        self.salts.mkdir(parents=True, exist_ok=True)
        self.epoch = None

    def join(self):
        """Makes the module a miner, if it is none."""
        self.module = self.chain.runtime_call("ModulesApi", "module_by_name", [self.name.encode()])
        if self.module is None:
            sys.exit(f"there is no module {self.name}: register it first")
        if self.module["role"] == "Idle":
            if self.send("Modules", "set_role", module=self.module["id"], role="Miner"):
                say("joined", module=self.module["id"])

    def look(self, block):
        """Does what there is to do after a block. What that is, the chain says."""
        duties = self.chain.runtime_call("TasksApi", "obligations", [self.key.ss58_address, 0, 100])
        duties = {duty["task"]: duty["duty"] for duty in duties}
        for task in self.chain.runtime_call("TasksApi", "open_tasks", [0, 100]):
            duty = duties.get(task["id"], "Commit")
            if duty == "Reveal" and block >= task["commit_until"]:
                self.reveal(task["id"])
            elif duty == "Commit" and block < task["commit_until"] and self.wants(task):
                self.commit(task)
        self.report()

    def wants(self, task):
        """Whether it is for this account, asks for bytes, and there is a file for it that is not too long."""
        contribution, asked = task["purpose"].get("Contribution"), task["content"].get("Bytes")
        if not contribution or not asked or task["committed"] >= task["max_participants"]:
            return False
        is_invited = contribution["committee"] is None or self.key.ss58_address in contribution["committee"]
        file = self.answers / str(task["id"])
        fits = file.exists() and 0 < file.stat().st_size <= asked["max_len"]
        return is_invited and contribution["audience"] == "Public" and fits

    def commit(self, task):
        content, salt = self.content(task["id"]), self.salt(task["id"])
        self.upload(content)
        commitment = digest(content.id, self.key.public_key, task["id"].to_bytes(4, "little"), salt)
        bond = task["purpose"]["Contribution"]["terms"]["bond"]
        if self.send("Tasks", "commit", task=task["id"], commitment="0x" + commitment.hex(), bond=bond):
            say("committed", task=task["id"], content="0x" + content.id.hex())

    def reveal(self, task):
        content, salt = self.content(task), self.salt(task)
        if self.send("Tasks", "reveal", task=task, descriptor=content.descriptor, salt="0x" + salt.hex()):
            say("revealed", task=task, content="0x" + content.id.hex())

    def content(self, task):
        """What this miner contributes, the same each time it is asked."""
        return Bytes((self.answers / str(task)).read_bytes())

    def salt(self, task):
        """The salt for a task: that on the disk, or a new one that is on the disk when this returns."""
        path = self.salts / f"{task}-{self.key.ss58_address}"
        if not path.exists():
            draft = path.with_suffix(".draft")
            with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
                file.write(secrets.token_bytes(32))
                file.flush()
                os.fsync(file.fileno())
            draft.rename(path)
        return path.read_bytes()

    def upload(self, content):
        """Gives a content to the node, which must take writes: one's own, or one with --tensor-rpc-writes."""
        name = "0x" + content.id.hex()
        for at in range(0, len(content.encoded), PART):
            part = base64.b64encode(content.encoded[at : at + PART]).decode()
            self.chain.rpc_request("ensemble_putTensor", [name, at, part])

    def report(self):
        """Says once an epoch who scores the module, and what the epochs that are kept have paid."""
        epoch = self.chain.runtime_call("EmissionApi", "epoch")["epoch"]
        if epoch == self.epoch:
            return
        self.epoch = epoch
        number = self.module["id"]
        miner = self.chain.runtime_call("MatchingApi", "miner", [number])
        results = self.chain.runtime_call("ScoresApi", "results", [number])
        paid = self.chain.runtime_call("EmissionApi", "allocations_of", [number, 0, epoch])
        say(
            "epoch",
            epoch=epoch,
            validators=miner["validators"] if miner else [],
            score=results[-1]["score"]["score"] if results else None,
            paid=sum(allocation["miner"] for allocation in paid if allocation["paid"]),
        )

    def send(self, pallet, function, **arguments):
        """Signs and sends a call, waits until it is in a block, and returns whether it did what it should."""
        call = self.chain.compose_call(pallet, function, arguments)
        receipt = self.chain.submit_extrinsic(
            self.chain.create_signed_extrinsic(call, self.key), wait_for_inclusion=True
        )
        if not receipt.is_success:
            say("failed", call=f"{pallet}.{function}", message=receipt.error_message)
        return receipt.is_success


def say(event, **facts):
    print(json.dumps({"event": event, **facts}), flush=True)


def main():
    url, name, answers, salts = sys.argv[1:]
    key = Keypair.create_from_uri(os.environ["SECRET"])
    while True:
        try:
            with SubstrateInterface(url, ss58_format=42) as chain:
                miner = Miner(chain, key, name, pathlib.Path(answers), pathlib.Path(salts))
                miner.join()
                say("connected", url=url, module=miner.module["id"])
                seen = None
                while True:
                    block = chain.get_block_number()
                    if block != seen:
                        miner.look(block)
                    seen = block
                    time.sleep(1)
        except (OSError, SubstrateRequestException, WebSocketException) as error:
            # The node went away, or refused something: what is still to do, it says when it is back.
            say("disconnected", reason=f"{type(error).__name__}: {error}")
            time.sleep(2)


if __name__ == "__main__":
    main()
