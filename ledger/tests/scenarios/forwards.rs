//! Requests that others decide, and messages that wait to be sent.

sheets! {
    an_answer_becomes_the_outcome_of_the_request: "
        id   | event                                     | outcome                  | W   | M  | next:3
        fund | post BANK>W 100                           | Approved                 | 100 | 0  | -
        ask  | card 7 forward 3 for=30s keys=#a          | Forwarded                | 100 | 0  | -
        # Until the answer comes, a copy is told that there is none.
        ask  | card 7 forward 3 for=30s keys=#a          | Forwarded again          | 100 | 0  | -
        rep  | card 7 forward 3 for=30s keys=#a repeat=#a | Forwarded again         | 100 | 0  | -
        yes  | answer ask approved W>M 10                | Approved 10              | 90  | 10 | -
        yes  | answer ask approved W>M 10                | Approved 10 again        | 90  | 10 | -
        ask  | card 7 forward 3 for=30s keys=#a          | Approved 10 again        | 90  | 10 | -
        twice | answer ask declined 5                    | ForwardNotFound          | 90  | 10 | -
        # From now on it is a purchase like others.
        rev  | card 7 reverse ask                        | Approved 10              | 100 | 0  | -
        ask2 | card 7 forward 3 for=30s                  | Forwarded                | 100 | 0  | -
        no   | answer ask2 declined 51                   | Approved 0               | 100 | 0  | -
        ask2 | card 7 forward 3 for=30s                  | Declined by 51 again     | 100 | 0  | -
        rev2 | card 7 reverse ask2                       | Approved 0               | 100 | 0  | -
        # The other party has decided: floors are not asked, entries are.
        ask3 | card 7 forward 3 for=30s                  | Forwarded                | 100 | 0  | -
        odd  | answer ask3 approved W-5,M+4              | InvalidEntry             | 100 | 0  | -
        far  | answer ask3 approved W>X 4                | AccountNotFound          | 100 | 0  | -
        deep | answer ask3 approved W>M 150 total=5.debit.20261127 | Approved 150   | -50 | 150 | -
        rev3 | card 7 reverse ask3                       | Approved 150             | 100 | 0  | -
        # PIN, counter and reversal that came first are judged before anything is passed on.
        pin  | card 7 forward 3 pin=wrong                | WrongPin                 | 100 | 0  | -
        name late -1s
        rev4 | card 7 reverse late                       | OriginalNotFound         | 100 | 0  | -
        late | card 7 forward 3                          | TooLate                  | 100 | 0  | -
        none | answer fund approved W>M 1                | ForwardNotFound          | 100 | 0  | -
    ";

    what_is_not_answered_is_reversed: "
        id   | event                            | outcome            | W   | next:3 | dead
        fund | post BANK>W 100                  | Approved           | 100 | -      | -
        one  | card 7 forward 3 for=30s         | Forwarded          |     | -      | -
        two  | card 7 forward 3 for=10s         | Forwarded          |     | -      | -
        wait 10s
        # Its time is over, whether a tick has seen it or not.
        slow | answer two approved W>M 10       | ForwardNotFound    | 100 | -      | -
        tick | tick                             | Approved 1         | 100 | two 0  | -
        two  | card 7 forward 3 for=10s         | Unanswered again   | 100 | two 0  | -
        rev  | card 7 reverse two               | Approved 0         | 100 | two 0  | -
        # Reversed before its answer: the reversal is queued behind the other.
        rev2 | card 7 reverse one               | Approved 0         | 100 | two 0  | -
        one  | card 7 forward 3 for=30s         | Unanswered again   | 100 | two 0  | -
        slow2 | answer one approved W>M 10      | ForwardNotFound    | 100 | two 0  | -
        sent | mail two delivered               | Approved           |     | one 0  | -
        sent2 | mail two delivered              | MessageNotFound    |     | one 0  | -
        # Tried in vain, it is tried again later, and after its last try a person has to look at it.
        bad  | mail one failed in=20s tries=2   | Approved           |     | one 1 later | -
        wait 20s
        tick2 | tick                            | Approved 0         |     | one 1  | -
        bad2 | mail one failed in=20s tries=2   | Approved           |     | -      | one 2 later
        bad3 | mail one failed in=20s tries=2   | MessageNotFound    |     | -      | one 2 later
        go   | mail one retried                 | Approved           |     | one 0  | -
        go2  | mail one retried                 | MessageNotFound    |     | one 0  | -
        bad4 | mail one failed in=1s tries=1    | Approved           |     | -      | one 1 later
        done | mail one discarded               | Approved           |     | -      | -
        # An open forward is no message yet.
        new  | card 7 forward 3                 | Forwarded          |     | -      | -
        no   | mail new delivered               | MessageNotFound    |     | -      | -
    ";

    messages_are_queued_with_what_they_tell_of: "
        id   | event                                  | outcome           | W   | next:3 | next:4
        fund | post BANK>W 100                        | Approved          | 100 | -      | -
        adv  | card 7 post W>M 10 send=3              | Approved 10       | 90  | adv 0  | -
        adv  | card 7 post W>M 10 send=3              | Approved 10 again | 90  | adv 0  | -
        poor | card 7 post W>M 999 send=4             | InsufficientFunds | 90  | adv 0  | -
        hold | card 7 hold W>M 10 send=4              | Approved 10       | 90/80 | adv 0 | hold 0
        # Of reversals those that take something back.
        rev  | card 7 reverse adv send=3              | Approved 10       | 100/90 | adv 0 | hold 0
        rev2 | card 7 reverse adv send=4              | Approved 0        | 100/90 | adv 0 | hold 0
        sent | mail adv delivered                     | Approved          |     | rev 0  | hold 0
        sent2 | mail hold delivered                   | Approved          |     | rev 0  | -
        back | reverse hold send=4                    | Approved 10       | 100 | rev 0  | back 0
    ";

    a_message_that_waits_keeps_its_id: "
        id   | event                                  | outcome           | W       | next:3
        fund | post BANK>W 100                        | Approved          | 100     | -
        hold | card 7 hold W>M 10 for=200h            | Approved 10       | 100/90  | -
        more | increase hold 5 send=3                 | Approved 5        | 100/85  | more 0
        wait 25h
        tick | tick                                   | Approved          | 100/85  | more 0
        # The event is forgotten, and advices are taken for longer than a day: this one would take the message's place.
        more | card 7 post W>M 20 send=3 advice       | IdTooOld          | 100/85  | more 0
        more | card 7 forward 3 advice                | IdTooOld          | 100/85  | more 0
        sent | mail more delivered                    | Approved          |         | -
        more | card 7 post W>M 20 send=3 advice       | Approved 20       | 80/65   | more 0
    ";

    no_room_for_another_message: "
        bounds messages=1
        id   | event                                  | outcome           | W   | next:3
        fund | post BANK>W 100                        | Approved          | 100 | -
        buy  | card 7 post W>M 20                     | Approved 20       | 80  | -
        hold | card 7 hold W>M 10                     | Approved 10       | 80/70 | -
        one  | card 7 forward 3                       | Forwarded         |     | -
        two  | card 7 forward 3                       | Full              |     | -
        adv  | card 7 post W>M 1 send=3               | Full              | 80/70 | -
        off  | card 7 force - W>M 1 send=3            | Full              | 80/70 | -
        # Not kept of what has happened: asked again, it is asked again.
        off  | card 7 force - W>M 1 send=3            | Full              | 80/70 | -
        tell | answer one approved W>M 5 send=3       | Full              | 80/70 | -
        tell | answer one approved W>M 5 send=3       | Full              | 80/70 | -
        more | increase hold 1 send=3                 | Full              | 80/70 | -
        take | card 7 complete hold W>M 1 send=3      | Full              | 80/70 | -
        see  | card 7 inquire W send=3                | Full              | 80/70 | -
        # Not recorded: asked again when there is room, it is done.
        rev  | card 7 reverse buy send=3              | Full              | 80/70 | -
        rev2 | card 7 reverse hold send=3             | Full              | 80/70 | -
        yes  | answer one approved W>M 5              | Approved 5        | 75/65 | -
        rev  | card 7 reverse buy send=3              | Approved 20       | 95/85 | rev 0
        # An open forward needs no further row to be given up.
        free | mail rev delivered                     | Approved          |     | -
        open | card 7 forward 3                       | Forwarded         |     | -
        rev3 | card 7 reverse open                    | Approved 0        |     | open 0
    ";
}
