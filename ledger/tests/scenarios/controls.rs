//! Limits of use, and the card's transaction counter.

sheets! {
    limits_count_and_add_up: "
        id   | event                                               | outcome                  | W  | used:card7.0.day | used:W.1.week
        fund | post BANK>W 100                                     | Approved                 | 100 | 0/0 | 0/0
        one  | card 7 post W>M 10 limits=card7.0.day:2:30          | Approved 10              | 90 | 1/10 | 0/0
        # What is refused uses nothing, whatever refuses it.
        big  | card 7 post W>M 21 limits=card7.0.day:2:30          | AmountLimitExceeded by 1 | 90 | 1/10 |
        poor | card 7 post W>M 95 limits=card7.0.day::             | InsufficientFunds by 0   | 90 | 1/10 |
        two  | card 7 post W>M 20 limits=card7.0.day:2:30          | Approved 20              | 70 | 2/30 |
        # A copy uses nothing either.
        two  | card 7 post W>M 20 limits=card7.0.day:2:30          | Approved 20 again        | 70 | 2/30 |
        over | card 7 post W>M 1  limits=card7.0.day:2:30          | CountLimitExceeded by 1  | 70 | 2/30 |
        # Counts before amounts, and of equals the first.
        both | post W>M 1 limits=card7.0.day::30,card7.0.day:2:,W.1.week:0: | CountLimitExceeded by 2 | 70 | 2/30 | 0/0
        # A usage that is named twice is charged once.
        twin | post W>M 1 limits=card7.0.day:3:,card7.0.day::99,W.1.week:: | Approved 1     | 69 | 3/31 | 1/1
        # Other classes, cards and periods are counted by themselves.
        free | card 7 post W>M 1 limits=card7.1.day:1:,card8.0.day:1:,card7.0.week:1:1 | Approved 1 | 68 | 3/31 |
        # Without limits nothing is counted.
        none | card 7 post W>M 1                                   | Approved 1               | 67 | 3/31 | 1/1
    ";

    a_period_ends_at_its_time: "
        id   | event                                               | outcome                  | W  | used:card7.0.day | used:W.1.month
        fund | post BANK>W 100                                     | Approved                 | 100 | 0/0 |
        one  | post W>M 10 limits=card7.0.day:1: ends=1h           | Approved 10              | 90 | 1/10 |
        # The first event has fixed the end.
        wait 30m
        two  | post W>M 10 limits=card7.0.day:1: ends=20h          | CountLimitExceeded by 1  | 90 | 1/10 |
        wait 30m
        new  | post W>M 10 limits=card7.0.day:1: ends=24h          | Approved 10              | 80 | 1/10 |
        tick | tick                                                | Approved                 |    | 1/10 |
        # What is given back goes back to the period it was used in, and to no later one.
        rev  | reverse one                                         | Approved 10              | 90 | 1/10 |
        rev2 | reverse new                                         | Approved 10              | 100 | 0/0 |
        # No day is longer than 25 hours, and no end lies before the event.
        far  | post W>M 1 limits=card7.0.day::,W.1.month:: ends=300d | Approved 1             | 99 | 1/1 | 1/1
        wait 23h
        day  | tick                                                | Approved                 |    | 1/1 | 1/1
        wait 90m
        day2 | tick                                                | Approved                 |    | 0/0 | 1/1
        wait 31d
        mon  | tick                                                | Approved                 |    | 0/0 | 0/0
        now  | post W>M 1 limits=card7.0.day:1: ends=0s            | Approved 1               | 98 |     |
        now2 | post W>M 1 limits=card7.0.day:1: ends=0s            | Approved 1               | 97 |     |
    ";

    what_is_taken_back_is_given_back: "
        id   | event                                               | outcome      | W      | used:card7.0.day
        fund | post BANK>W 100                                     | Approved     | 100    | 0/0
        buy  | card 7 post W>M 40 limits=card7.0.day::             | Approved 40  | 60     | 1/40
        # In part: the use stays, so much less was used.
        part | card 7 reverse buy to 30                            | Approved 10  | 70     | 1/30
        all  | card 7 reverse buy                                  | Approved 0   | 70     | 1/30
        buy2 | card 7 post W>M 20 limits=card7.0.day::             | Approved 20  | 50     | 2/50
        rev2 | card 7 reverse buy2                                 | Approved 20  | 70     | 1/30
        # Holds: voided, expired, reversed.
        h1   | hold W>M 10 limits=card7.0.day::                    | Approved 10  | 70/60  | 2/40
        v1   | void h1                                             | Approved 10  | 70     | 1/30
        h2   | hold W>M 10 limits=card7.0.day:: for=1m             | Approved 10  | 70/60  | 2/40
        wait 1m
        tick | tick                                                | Approved 1   | 70     | 1/30
        h3   | card 7 hold W>M 10 limits=card7.0.day::             | Approved 10  | 70/60  | 2/40
        r3a  | card 7 reverse h3 to 4                              | Approved 6   | 70/66  | 2/34
        h4   | card 7 hold W>M 10 limits=card7.0.day::             | Approved 10  | 70/56  | 3/44
        r4   | card 7 reverse h4                                   | Approved 10  | 70/66  | 2/34
    ";

    a_hold_hands_on_what_it_was_charged: "
        id   | event                                               | outcome      | W      | used:card7.0.day | used:W.1.week
        fund | post BANK>W 100                                     | Approved     | 100    | 0/0   |
        # A completion of another amount corrects it; its reversal gives all of it back.
        h1   | card 7 hold W>M 20 limits=card7.0.day:1:            | Approved 20  | 100/80 | 1/20  |
        c1   | card 7 complete h1 W>M 15                           | Approved 15  | 85     | 1/15  |
        r1   | card 7 reverse c1                                   | Approved 15  | 100    | 0/0   |
        h2   | card 7 hold W>M 20 limits=card7.0.day:1:            | Approved 20  | 100/80 | 1/20  |
        c2   | card 7 complete h2 W>M 22 tol=1000                  | Approved 22  | 78     | 1/22  |
        r2   | card 7 reverse c2                                   | Approved 22  | 100    | 0/0   |
        # Captures: the use goes with the first, what is not captured is given back with the last.
        h3   | hold W>M 30 limits=card7.0.day::                    | Approved 30  | 100/70 | 1/30  |
        a3   | capture h3 10                                       | Approved 10  | 90/70  | 1/30  |
        b3   | capture h3 5 last                                   | Approved 5   | 85     | 1/15  |
        rb3  | reverse b3                                          | Approved 5   | 90     | 1/10  |
        ra3  | reverse a3                                          | Approved 10  | 100    | 0/0   |
        h4   | hold W>M 30 limits=card7.0.day::                    | Approved 30  | 100/70 | 1/30  |
        a4   | capture h4 10                                       | Approved 10  | 90/70  | 1/30  |
        v4   | void h4                                             | Approved 20  | 90     | 1/10  |
        # An increase is no further use, and its hold hands it on.
        h5   | hold W>M 10 limits=card7.0.day:2:100                | Approved 10  | 90/80  | 2/20  | 0/0
        i5   | increase h5 5 limits=card7.0.day:2:25,W.1.week:0:5  | Approved 5   | 90/75  | 2/25  | 0/5
        j5   | increase h5 1 limits=card7.0.day:2:25               | AmountLimitExceeded by 1 | 90/75 | 2/25 | 0/5
        v5   | void h5                                             | Approved 15  | 90     | 1/10  | 0/0
    ";

    what_was_paid_elsewhere_is_charged_and_not_judged: "
        bounds usages=1
        id   | event                                                      | outcome     | W   | used:card7.0.day | used:W.1.week
        fund | post BANK>W 100                                            | Approved    | 100 | 0/0 |
        f1   | card 7 force - W>M 10 limits=card7.0.day:0:0               | Approved 10 | 90  | 1/10 |
        r1   | card 7 reverse f1                                          | Approved 10 | 100 | 0/0 |
        h2   | card 7 hold W>M 10 limits=card7.0.day::                    | Approved 10 | 100/90 | 1/10 |
        f2   | card 7 force h2 W>M 12 limits=card7.0.day::                | Approved 12 | 88  | 1/12 |
        # No room for another usage: what was paid goes on, what asks is refused.
        f3   | card 7 force - W>M 1 limits=W.1.week:: advice              | Approved 1  | 87  | 1/12 | 0/0
        p3   | card 7 post W>M 1 limits=W.1.week::                        | Full        | 87  | 1/12 | 0/0
        h3   | hold W>M 1 limits=card7.0.day::,W.1.week::                 | Full        | 87  | 1/12 | 0/0
        h4   | hold W>M 1 limits=card7.0.day::                            | Approved 1  | 87/86 | 2/13 |
        i4   | increase h4 1 limits=W.1.week::                            | Full        | 87/86 | 2/13 |
        # The end of a period makes room, and so does its successor.
        wait 1d
        p5   | post W>M 1 limits=card7.0.day::                            | Approved 1  | 86/85 | 1/1 |
        wait 1d
        tick | tick                                                       | Approved 0  |     | 0/0 |
        p6   | post W>M 1 limits=W.1.week::                               | Approved 1  | 85/84 | 0/0 | 1/1
    ";

    counters_rise: "
        id   | event                                   | outcome           | W   | atc:7 | tries:7
        fund | post BANK>W 100                         | Approved          | 100 | -     |
        # The first is taken as it comes.
        one  | card 7 post W>M 1 atc=500/10            | Approved 1        | 99  | 500   |
        one  | card 7 post W>M 1 atc=500/10            | Approved 1 again  | 99  | 500   |
        old  | card 7 post W>M 1 atc=499/10            | AtcNotNew         | 99  | 500   |
        same | card 7 post W>M 1 atc=500/10            | AtcNotNew         | 99  | 500   |
        edge | card 7 post W>M 1 atc=510/10            | Approved 1        | 98  | 510   |
        far  | card 7 post W>M 1 atc=521/10            | AtcTooFar         | 98  | 510   |
        # Judged once, it is used up, whatever is refused afterwards; of what the caller declines it is not.
        pin  | card 7 post W>M 1 atc=511/10 pin=wrong  | WrongPin          | 98  | 511   | 1
        poor | card 7 post W>M 999 atc=512/10          | InsufficientFunds | 98  | 512   | 1
        dec  | card 7 decline 5 atc=513/10             | Declined          | 98  | 512   | 1
        # An attack with an old counter costs the cardholder no PIN try.
        try  | card 7 post W>M 1 atc=512/10 pin=wrong  | AtcNotNew         | 98  | 512   | 1
        # What was decided elsewhere may come late, and in any order.
        adv  | card 7 post W>M 1 atc=300/10 advice     | Approved 1        | 97  | 512   |
        adv2 | card 7 force - W>M 1 atc=600/10         | Approved 1        | 96  | 600   |
        rev  | card 7 reverse adv2 atc=600/10          | Approved 1        | 97  | 600   |
        next | card 7 inquire W atc=601/10             | Approved 0        | 97  | 601   |
        # No card, nobody's counter.
        none | card post W>M 1 atc=1/10                | Approved 1        | 96  | 601   |
        # A new chip.
        new  | forget-atc 7                            | Approved 0        |     | -     |
        back | card 7 inquire W atc=1/10               | Approved 0        |     | 1     |
        last | card 7 inquire W atc=65535/65535        | Approved 0        |     | 65535 |
        end  | card 7 inquire W atc=0/65535            | AtcNotNew         |     | 65535 |
    ";

    no_room_to_remember_counters: "
        bounds counters=1
        id   | event                          | outcome      | W   | atc:7 | atc:8
        fund | post BANK>W 100                | Approved     | 100 | -     | -
        one  | card 7 post W>M 1 atc=5        | Approved 1   | 99  | 5     |
        two  | card 8 post W>M 1 atc=5        | AtcNotJudged | 99  |       | -
        adv  | card 8 post W>M 1 atc=5 advice | Approved 1   | 98  |       | -
        more | card 7 post W>M 1 atc=6        | Approved 1   | 97  | 6     |
        gone | forget-atc 7                   | Approved 0   |     | -     |
        now  | card 8 post W>M 1 atc=5        | Approved 1   | 96  |       | 5
    ";
}
