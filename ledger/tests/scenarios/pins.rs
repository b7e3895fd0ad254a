//! Wrong PINs of a card.

sheets! {
    pins_are_counted_here: "
        id    | event                                   | outcome             | W   | tries:7
        fund  | post BANK>W 100                         | Approved            | 100 | 0
        w1    | card 7 post W>M 1 pin=wrong             | WrongPin            | 100 | 1
        w1    | card 7 post W>M 1 pin=wrong             | WrongPin again      | 100 | 1
        right | card 7 post W>M 1 pin=right             | Approved 1          | 99  | 0
        w2    | card 7 post W>M 1 pin=wrong             | WrongPin            | 99  | 1
        none  | card 7 post W>M 1                       | Approved 1          | 98  | 1
        w3    | card 7 inquire W pin=wrong              | WrongPin            | 98  | 2
        dec   | card 7 decline 62 pin=wrong             | Declined            | 98  | 2
        poor  | card 7 post W>M 999 pin=wrong           | WrongPin            | 98  | 3
        over  | card 7 post W>M 1 pin=right             | PinTriesExceeded    | 98  | 3
        over2 | card 7 post W>M 1 pin=wrong             | PinTriesExceeded    | 98  | 3
        more  | card 7 post W>M 1 pin=wrong max=4       | WrongPin            | 98  | 4
        other | card 8 post W>M 1 pin=right             | Approved 1          | 97  | 4
        free  | reset-tries 7                           | Approved 0          | 97  | 0
        ok    | card 7 post W>M 999 pin=right           | InsufficientFunds   | 97  | 0
        zero  | card 7 post W>M 1 pin=right max=0       | PinTriesExceeded    | 97  | 0
        # Nobody's PIN is wrong all the same.
        anon  | card post W>M 1 pin=wrong               | WrongPin            | 97  | 0
        anon2 | card post W>M 1 pin=right               | Approved 1          | 96  | 0
    ";

    no_room_to_count_wrong_pins: "
        bounds cards=1
        id   | event                         | outcome           | W   | tries:7 | tries:8
        fund | post BANK>W 100               | Approved          | 100 | 0       | 0
        w7   | card 7 post W>M 1 pin=wrong   | WrongPin          | 100 | 1       | 0
        w8   | card 8 post W>M 1 pin=wrong   | PinNotJudged      | 100 | 1       | 0
        # Approving the right one here would tell that the wrong one was wrong, as often as anybody likes.
        r8   | card 8 post W>M 1 pin=right   | PinNotJudged      | 100 | 1       | 0
        # Told before anything about the account is.
        p8   | card 8 post W>M 999 pin=right | PinNotJudged      | 100 | 1       | 0
        n8   | card 8 post W>M 1             | Approved 1        | 99  | 1       | 0
        w7b  | card 7 post W>M 1 pin=wrong   | WrongPin          | 99  | 2       | 0
        r7   | card 7 post W>M 1 pin=right   | Approved 1        | 98  | 0       | 0
        r8b  | card 8 post W>M 1 pin=right   | Approved 1        | 97  | 0       | 0
    ";
}
