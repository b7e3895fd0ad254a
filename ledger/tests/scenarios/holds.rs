//! Holds: placed, increased, captured, completed, expired.

sheets! {
    holds_promise_what_they_hold: "
        id    | event                            | outcome           | W      | M
        fund  | post BANK>W 100                  | Approved 100      | 100    | 0
        a     | hold W>M 80                      | Approved 80       | 100/20 | 0
        b     | hold W>M 21                      | InsufficientFunds | 100/20 | 0
        buy   | post W>M 21                      | InsufficientFunds | 100/20 | 0
        c0    | capture a 0                      | InvalidAmount     | 100/20 | 0
        c-    | capture a -5                     | InvalidAmount     | 100/20 | 0
        c+    | capture a 81                     | InvalidAmount     | 100/20 | 0
        c1    | capture a 30                     | Approved 30       | 70/20  | 30
        c1    | capture a 30                     | Approved 30 again | 70/20  | 30
        c2    | capture a 51                     | InvalidAmount     | 70/20  | 30
        c3    | capture a 10 last                | Approved 10       | 60     | 40
        c4    | capture a 1                      | HoldNotFound      | 60     | 40
        v     | void a                           | HoldNotFound      | 60     | 40
        d     | hold W>M 60                      | Approved 60       | 60/0   | 40
        v2    | void d                           | Approved 60       | 60     | 40
        v3    | void d                           | HoldNotFound      | 60     | 40
        v4    | void c1                          | HoldNotFound      | 60     | 40
        # The deposit under a hold is taken back: what was promised is paid all the same.
        e     | hold W>M 60                      | Approved 60       | 60/0   | 40
        undo  | reverse fund                     | Approved 100      | -40/-100 | 40
        poor  | post W>M 1                       | InsufficientFunds | -40/-100 | 40
        e1    | capture e 60                     | Approved 60       | -100   | 100
    ";

    holds_grow: "
        id    | event                       | outcome           | W      | M
        fund  | post BANK>W 100             | Approved 100      | 100    | 0
        a     | hold W>M 40 for=10m         | Approved 40       | 100/60 | 0
        more  | increase a 25               | Approved 25       | 100/35 | 0
        more  | increase a 25               | Approved 25 again | 100/35 | 0
        poor  | increase a 36               | InsufficientFunds | 100/35 | 0
        none  | increase a 0                | InvalidAmount     | 100/35 | 0
        less  | increase a -5               | InvalidAmount     | 100/35 | 0
        far   | increase a 9223372036854775807 | InsufficientFunds | 100/35 | 0
        bank  | hold BANK>M 40              | Approved 40       | 100/35 | 0
        much  | increase bank 9223372036854775807 | Overflow    | 100/35 | 0
        who   | increase fund 5             | HoldNotFound      | 100/35 | 0
        # Not an event of its own to take back: the hold is, down to what shall remain of both.
        back  | reverse more                | NotReversible     | 100/35 | 0
        c     | capture a 10                | Approved 10       | 90/35  | 10
        over  | reverse a to 66             | InvalidAmount     | 90/35  | 10
        down  | reverse a to 50             | Approved 15       | 90/50  | 10
        again | increase a 5                | Approved 5        | 90/45  | 10
        last  | capture a 45                | Approved 45       | 45     | 55
        over2 | increase a 1                | HoldNotFound      | 45     | 55
        # Of three postings: whose share grows is not for the ledger to choose.
        fee   | hold W-30,M+27,V+3          | Approved 30       | 45/15  | 55
        grow  | increase fee 10             | InvalidAmount     | 45/15  | 55
        same  | increase fee 30             | InvalidAmount     | 45/15  | 55
        b     | hold W>M 5 for=1m           | Approved 5        | 45/10  | 55
        wait 61s
        late  | increase b 1                | HoldNotFound      | 45/10  | 55
    ";

    a_hold_ends_at_its_time: "
        id   | event                              | outcome      | W      | M
        fund | post BANK>W 100                    | Approved     | 100    |
        a    | card 7 hold W>M 60 for=10m         | Approved 60  | 100/40 |
        wait 599s
        # Still a second to go.
        b    | card 7 hold W>M 40 for=10m         | Approved 40  | 100/0  |
        c    | card 7 complete b W>M 40           | Approved 40  | 60/0   | 40
        wait 2s
        # Over, though no tick has come by yet: nothing may use it, and its money is released by the tick.
        late | card 7 complete a W>M 60           | HoldNotFound | 60/0   | 40
        cap  | capture a 1                        | HoldNotFound | 60/0   | 40
        void | void a                             | HoldNotFound | 60/0   | 40
        rev  | card 7 reverse a                   | Approved 0   | 60/0   | 40
        t1   | tick                               | Approved 1   | 60     | 40
        t2   | tick                               | Approved 0   | 60     | 40
        new  | card 7 complete a W>M 60           | HoldNotFound | 60     | 40
        rev2 | card 7 reverse a                   | Approved 0   | 60     | 40
        ever | hold W>M 60 for=ever               | Approved 60  | 60/0   |
        wait 365d
        t3   | tick                               | Approved 0   | 60/0   |
        take | capture ever 60                    | Approved 60  | 0      | 100
        gone | hold BANK>W 1 for=0s               | Approved 1   | 0      | 100
        cap2 | capture gone 1                     | HoldNotFound | 0      | 100
    ";

    completions: "
        id    | event                                           | outcome           | W      | M
        fund  | post BANK>W 100                                 | Approved          | 100    | 0
        d     | open D 840 floor=unlimited                      | Approved          |        |
        e     | open E 840 floor=unlimited                      | Approved          |        |
        a     | card 7 hold W>M 50 keys=#rrn                    | Approved 50       | 100/50 | 0
        card  | card 8 complete #rrn W>M 50                     | HoldNotFound      | 100/50 |
        nocrd | card complete #rrn W>M 50                       | HoldNotFound      | 100/50 |
        key   | card 7 complete #other W>M 50                   | HoldNotFound      | 100/50 |
        form  | card 7 complete #other W>M 0                    | InvalidEntry      | 100/50 |
        code  | card 7 complete #rrn W>M 56 approval=5 tol=1000 | ApprovalMismatch  | 100/50 |
        over  | card 7 complete #rrn W>M 56 approval=a tol=1000 | OverTolerance     | 100/50 |
        cur   | card 7 complete #rrn W>M 50 cur=840             | CurrencyMismatch  | 100/50 |
        cur2  | card 7 complete #rrn D>E 50 cur=840             | CurrencyMismatch  | 100/50 |
        acc   | card 7 complete #rrn W>X 50                     | AccountNotFound   | 100/50 |
        most  | card 7 complete #rrn W>M 55 approval=a tol=1000 | Approved 55       | 45     | 55
        most  | card 7 complete #rrn W>M 55 approval=a tol=1000 | Approved 55 again | 45     | 55
        twice | card 7 complete #rrn W>M 55 approval=a tol=1000 | HoldNotFound      | 45     | 55
        void  | card 7 reverse a                                | NotReversible     | 45     | 55
        undo  | card 7 reverse most                             | Approved 55       | 100    | 0
        # Less than was held, and more than the account has.
        b     | card 7 hold W>M 90                              | Approved 90       | 100/10 | 0
        less  | card 7 complete b W>M 1                         | Approved 1        | 99     | 1
        c     | card 7 hold W>M 99                              | Approved 99       | 99/0   | 1
        more  | card 7 complete c W>M 100 tol=5000              | InsufficientFunds | 99/0   | 1
        same  | card 7 complete c W>M 99 tol=5000               | Approved 99       | 0      | 100
    ";

    a_key_that_is_used_again_means_the_newest_event: "
        id   | event                                | outcome      | W       | M
        fund | post BANK>W 100                      | Approved     | 100     |
        a    | card 7 hold W>M 10 keys=#k           | Approved 10  | 100/90  |
        wait 1s
        b    | card 7 hold W>M 20 keys=#k           | Approved 20  | 100/70  |
        wait 1s
        # One that was sent before the others and comes last is not the newest.
        old  | card 7 hold W>M 5 keys=#k at=-1m     | Approved 5   | 100/65  |
        c    | card 7 complete #k W>M 20            | Approved 20  | 80/65   | 20
        # What was sent between the two means the first.
        r    | card 7 reverse #k at=-1500ms         | Approved 10  | 80/75   | 20
        # What was sent before all of them means none.
        r2   | card 7 reverse #k at=-2m             | OriginalNotFound | 80/75 | 20
    ";
}
