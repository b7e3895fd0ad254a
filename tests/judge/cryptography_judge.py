"""Random questions of payment cryptography with the answers of psec, pyemv and cryptography.

    cryptography_judge.py ask --count 200 --seed 1     one JSON object a line: algorithm, inputs, answer
    cryptography_judge.py check < lines                blocks that somebody else made: psec must open them

Bytes are hexadecimal. The same seed asks the same questions; blocks with random fill differ.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
from typing import Any, Callable, Iterator

from cryptography.hazmat.primitives import cmac
from cryptography.hazmat.primitives.ciphers import algorithms
from psec import cvv, des, mac, pin, pinblock, tr31
from pyemv import ac, kd, sm
from pyemv import cvv as emv_cvv

Question = dict[str, Any]
rng = random.Random()


def data(length: int) -> bytes:
    return rng.randbytes(length)


def digits(length: int) -> str:
    return "".join(rng.choice("0123456789") for _ in range(length))


def key(*lengths: int) -> bytes:
    """Odd parity, as DES keys of the field have it."""
    return bytes(des.adjust_key_parity(data(rng.choice(lengths))))


def some_pin() -> str:
    return digits(rng.randint(4, 12))


def pan() -> str:
    return "4" + digits(rng.randint(12, 18))


def upper(value: bytes) -> str:
    return value.hex().upper()


def iso0() -> Question:
    number, chosen = pan(), some_pin()
    return {"pin": chosen, "pan": number, "answer": upper(pinblock.encode_pinblock_iso_0(chosen, number))}


def iso2() -> Question:
    chosen = some_pin()
    return {"pin": chosen, "answer": upper(pinblock.encode_pinblock_iso_2(chosen))}


def iso3() -> Question:
    number, chosen = pan(), some_pin()
    return {"block": upper(pinblock.encode_pinblock_iso_3(chosen, number)), "pan": number, "answer": chosen}


def iso4() -> Question:
    number, chosen, secret = pan(), some_pin(), data(rng.choice((16, 24, 32)))
    block = pinblock.encipher_pinblock_iso_4(secret, chosen, number)
    return {"key": upper(secret), "block": upper(block), "pan": number, "answer": chosen}


def cvv_value() -> Question:
    secret, number, date, code = key(16), pan(), digits(4), digits(3)
    answer = cvv.generate_cvv(secret, number, date, code)
    return {"key": upper(secret), "pan": number, "date": date, "code": code, "answer": answer}


def pvv_value() -> Question:
    # Longer PINs count with their first four digits here, and not at all with the judge.
    secret, number, chosen, index = key(16), pan(), digits(4), digits(1)
    answer = pin.generate_visa_pvv(secret, index, chosen, number)
    return {"key": upper(secret), "pan": number, "pin": chosen, "index": index, "answer": answer}


def ibm_offset() -> Question:
    secret, number, chosen, table = key(8, 16, 24), pan(), some_pin(), digits(16)
    pad = rng.choice("0123456789ABCDEF")
    start = rng.randint(0, len(number) - 4)
    length = rng.randint(1, min(16, len(number) - start))
    answer = pin.generate_ibm3624_offset(secret, table, chosen, number, start, length, pad)
    validation = (number[start : start + length] + pad * 16)[:16]
    return {"key": upper(secret), "table": table, "pin": chosen, "validation": validation, "answer": answer}


def cbc_mac() -> Question:
    secret, message, padding = key(8, 16, 24), data(rng.randint(1, 80)), rng.randint(1, 3)
    answer = mac.generate_cbc_mac(secret, message, padding, 8)
    return {"key": upper(secret), "message": upper(message), "padding": padding, "answer": upper(answer)}


def retail_mac() -> Question:
    secret, message, padding = key(16), data(rng.randint(1, 80)), rng.randint(1, 3)
    answer = mac.generate_retail_mac(secret[:8], secret[8:], message, padding, 8)
    return {"key": upper(secret), "message": upper(message), "padding": padding, "answer": upper(answer)}


def cmac_of(cipher: Any) -> Callable[[], Question]:
    def ask() -> Question:
        lengths = (16, 24) if cipher is algorithms.TripleDES else (16, 24, 32)
        secret, message = data(rng.choice(lengths)), data(rng.randint(0, 80))
        judge = cmac.CMAC(cipher(secret))
        judge.update(message)
        return {"key": upper(secret), "message": upper(message), "answer": upper(judge.finalize())}

    return ask


def check_value() -> Question:
    secret = key(8, 16, 24)
    return {"key": upper(secret), "answer": upper(des.generate_kcv(secret, 8))}


def key_block(version: str) -> Callable[[], Question]:
    def ask() -> Question:
        secret = data(rng.choice((16, 24, 32))) if version == "D" else key(16, 24)
        wrapped = key(8, 16, 24)
        usage, mode, exportability = rng.choice((("P0", "E"), ("M3", "C"), ("K0", "B"), ("B0", "X"))) + (
            rng.choice("ENS"),
        )
        header = tr31.Header(version, usage, "T", mode, "00", exportability)
        if rng.random() < 0.5:
            header.blocks["KS"] = digits(20)
        block = tr31.wrap(secret, header, wrapped)
        return {"key": upper(secret), "block": block, "usage": usage, "answer": upper(wrapped)}

    return ask


def card_key(option: str) -> Callable[[], Question]:
    def ask() -> Question:
        derive = kd.derive_icc_mk_a if option == "a" else kd.derive_icc_mk_b
        secret, sequence = key(16), digits(2)
        # Option B is another thing above sixteen digits only.
        number = pan() if option == "a" else "5" + digits(rng.randint(15, 18))
        return {"key": upper(secret), "pan": number, "sequence": sequence, "answer": upper(derive(secret, number, sequence))}

    return ask


def session_key() -> Question:
    secret, diversifier = key(16), data(8)
    return {"key": upper(secret), "r": upper(diversifier), "answer": upper(kd.derive_common_sk(secret, diversifier))}


def visa_session_key() -> Question:
    secret, atc = key(16), data(2)
    return {"key": upper(secret), "atc": upper(atc), "answer": upper(kd.derive_visa_sm_sk(secret, atc))}


def cryptogram() -> Question:
    secret, message = key(16), data(rng.randint(1, 64))
    padding = rng.choice((ac.PaddingType.VISA, ac.PaddingType.EMV))
    answer = ac.generate_ac(secret, message, padding)
    return {"key": upper(secret), "message": upper(message), "padding": padding.value, "answer": upper(answer)}


def arpc1() -> Question:
    secret, arqc, code = key(16), data(8), data(2)
    return {"key": upper(secret), "arqc": upper(arqc), "code": upper(code), "answer": upper(ac.generate_arpc_1(secret, arqc, code))}


def arpc2() -> Question:
    secret, arqc, status, own = key(16), data(8), data(4), data(rng.randint(0, 8))
    answer = ac.generate_arpc_2(secret, arqc, status, own)
    return {"key": upper(secret), "arqc": upper(arqc), "status": upper(status), "own": upper(own), "answer": upper(answer)}


def script_mac() -> Question:
    secret, command = key(16), data(rng.randint(1, 40))
    return {"key": upper(secret), "command": upper(command), "answer": upper(sm.generate_command_mac(secret, command))}


def pin_change() -> Question:
    secret, card, chosen = key(16), key(16), some_pin()
    old = some_pin() if rng.random() < 0.5 else None
    block = sm.format_vis_pin_block(card, chosen, old)
    answer = sm.encrypt_command_data(secret, block, sm.EncryptionType.VISA)
    return {"key": upper(secret), "card": upper(card), "pin": chosen, "old": old, "answer": upper(answer)}


def cvc3() -> Question:
    secret, track, atc, number = key(16), data(rng.randint(8, 30)), data(2), bytes.fromhex(digits(8))
    answer = emv_cvv.generate_cvc3(secret, track, atc, number)
    return {"key": upper(secret), "track": upper(track), "atc": upper(atc), "un": upper(number), "answer": answer.zfill(5)}


ALGORITHMS: dict[str, Callable[[], Question]] = {
    "iso0": iso0,
    "iso2": iso2,
    "iso3": iso3,
    "iso4": iso4,
    "cvv": cvv_value,
    "pvv": pvv_value,
    "ibm3624": ibm_offset,
    "cbc-mac": cbc_mac,
    "retail-mac": retail_mac,
    "cmac-tdes": cmac_of(algorithms.TripleDES),
    "cmac-aes": cmac_of(algorithms.AES),
    "kcv": check_value,
    "tr31-a": key_block("A"),
    "tr31-b": key_block("B"),
    "tr31-c": key_block("C"),
    "tr31-d": key_block("D"),
    "card-key-a": card_key("a"),
    "card-key-b": card_key("b"),
    "session-key": session_key,
    "visa-session-key": visa_session_key,
    "cryptogram": cryptogram,
    "arpc1": arpc1,
    "arpc2": arpc2,
    "script-mac": script_mac,
    "pin-change": pin_change,
    "cvc3": cvc3,
}


def ask(count: int) -> Iterator[Question]:
    for name, question in ALGORITHMS.items():
        for _ in range(count):
            yield {"algorithm": name} | question()


def check(line: str) -> bool:
    asked = json.loads(line)
    secret = bytes.fromhex(asked["key"])
    if asked["algorithm"] == "iso4":
        return pinblock.decipher_pinblock_iso_4(secret, bytes.fromhex(asked["block"]), asked["pan"]) == asked["pin"]
    if asked["algorithm"] == "iso3":
        return pinblock.decode_pinblock_iso_3(bytes.fromhex(asked["block"]), asked["pan"]) == asked["pin"]
    header, wrapped = tr31.unwrap(secret, asked["block"])
    return upper(wrapped) == asked["wrapped"] and header.key_usage == asked["usage"]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("action", choices=("ask", "check"))
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    if options.action == "ask":
        rng.seed(options.seed)
        for question in ask(options.count):
            print(json.dumps(question))
        return 0
    wrong = [line for line in sys.stdin if not check(line)]
    print(f"{len(wrong)} wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
