//! Reversals, before and after what they reverse.

sheets! {
    a_reversal_that_names_a_copy_that_never_came: "
        id    | event                                              | outcome                | W   | M
        fund  | post BANK>W 100                                    | Approved               | 100 | 0
        # The first copy was lost, and its repeat came under an id of its own; `#r` is the key that only repeats carry.
        name lost -30s
        rep   | card 7 post W>M 10 keys=#k,#r repeat=#k            | Approved 10            | 90  | 10
        rev   | card 7 reverse lost#r                              | Approved 10            | 100 | 0
        lost  | card 7 post W>M 10 keys=#k                         | Approved 10 again      | 100 | 0
        # Both are late: neither may move money.
        wait 1m
        name a -30s
        name b -10s
        rev2  | card 7 reverse a#q                                 | OriginalNotFound       | 100 | 0
        b     | card 7 post W>M 10 keys=#l,#q repeat=#l            | TooLate                | 100 | 0
        a     | card 7 post W>M 10 keys=#l                         | TooLate                | 100 | 0
        # The repeat is named and late, the first copy is there: it was all one purchase, which is taken back.
        wait 1m
        name d -10s
        c     | card 7 post W>M 10 keys=#m at=-30s                 | Approved 10            | 90  | 10
        rev3  | card 7 reverse d#p                                 | OriginalNotFound       | 90  | 10
        d     | card 7 decline 96 keys=#m,#p repeat=#m             | TooLate                | 100 | 0
        d     | card 7 decline 96 keys=#m,#p repeat=#m             | TooLate again          | 100 | 0
        rev4  | card 7 reverse c                                   | Approved 0             | 100 | 0
        # The next purchase of that number is none of the reversal's business.
        wait 1s
        e     | card 7 post W>M 10 keys=#m                         | Approved 10            | 90  | 10
        # What a late repeat's hold has paid for stays paid.
        name g -10s
        f     | card 7 hold W>M 20 keys=#n at=-30s                 | Approved 20            | 90/70 | 10
        part  | capture f 5                                        | Approved 5             | 85/70 | 15
        rev5  | card 7 reverse g#s                                 | OriginalNotFound       | 85/70 | 15
        g     | card 7 decline 96 keys=#n,#s repeat=#n             | TooLate                | 85/70 | 15
    ";

    both_rows_of_an_unknown_original_or_none: "
        bounds tombstones=2
        id   | event                                 | outcome           | W
        fund | post BANK>W 100                       | Approved          | 100
        name a -5s
        name b -5s
        ra   | card 7 reverse a                      | OriginalNotFound  | 100
        rb   | card 7 reverse b#k                    | Full              | 100
        rb   | card 7 reverse b                      | OriginalNotFound  | 100
        rb2  | card 7 reverse b#k                    | Full              | 100
        c    | card 7 post W>V 10 keys=#k at=-1s     | Approved 10       | 90
    ";

    reversals_in_full: "
        id    | event                                 | outcome         | W   | M
        fund  | post BANK>W 100                       | Approved        | 100 | 0
        buy   | card 7 post W>M 40 content=x          | Approved 40     | 60  | 40
        diff  | card 7 reverse buy content=y          | OriginalDiffers | 60  | 40
        back  | card 7 reverse buy content=x          | Approved 40     | 100 | 0
        back  | card 7 reverse buy content=x          | Approved 40 again | 100 | 0
        # Once more under another id: nothing left to do.
        back2 | card 7 reverse buy content=x          | Approved 0      | 100 | 0
        back3 | card 7 reverse buy to 5 content=x     | Approved 0      | 100 | 0
        # A reversal is not reversed.
        undo  | card 7 reverse back content=x         | NotReversible   | 100 | 0
        # What was declined has nothing to give back.
        no    | card 7 post W>M 999                   | InsufficientFunds | 100 | 0
        noway | card 7 reverse no                     | Approved 0      | 100 | 0
        ask   | card 7 inquire W                      | Approved 0      | 100 | 0
        askno | card 7 reverse ask                    | Approved 0      | 100 | 0
        open  | open A 710                            | Approved        |     |
        close | reverse open                          | NotReversible   |     |
        # Money goes back where it came from, whatever its account has left.
        spend | post W>M 100                          | Approved 100    | 0   | 100
        take  | reverse fund                          | Approved 100    | -100 | 100
        rest  | open R 710                            | Approved        |     |
        in    | post M>R 50                           | Approved 50     |     | 50
        out   | post R>M 50                           | Approved 50     |     | 100
        shut  | close R                               | Approved        |     |
        shut2 | reverse out                           | AccountClosed   |     | 100
        shut3 | reverse out to 51                     | InvalidAmount   |     | 100
    ";

    reversals_in_part: "
        id    | event                            | outcome       | W    | M  | V
        fund  | post BANK>W 100                  | Approved      | 100  | 0  | 0
        buy   | card 7 post W>M 40               | Approved 40   | 60   | 40 | 0
        over  | card 7 reverse buy to 41         | InvalidAmount | 60   | 40 | 0
        neg   | card 7 reverse buy to -1         | InvalidAmount | 60   | 40 | 0
        # Nothing was taken back yet, so it can still be.
        all   | card 7 reverse buy to 40         | Approved 0    | 60   | 40 | 0
        part  | card 7 reverse buy to 30         | Approved 10   | 70   | 30 | 0
        # A reversal that is repeated changes nothing, whatever it says.
        part2 | card 7 reverse buy to 10         | Approved 0    | 70   | 30 | 0
        full  | card 7 reverse buy               | Approved 0    | 70   | 30 | 0
        three | post W-30,M+20,V+10              | Approved 30   | 40   | 50 | 10
        share | reverse three to 15              | NotReversible | 40   | 50 | 10
        none  | reverse three to 30              | Approved 0    | 40   | 50 | 10
        whole | reverse three                    | Approved 30   | 70   | 30 | 0
    ";

    reversals_of_holds: "
        id    | event                            | outcome       | W      | M
        fund  | post BANK>W 100                  | Approved      | 100    | 0
        a     | card 7 hold W>M 50               | Approved 50   | 100/50 | 0
        a-    | card 7 reverse a to 51           | InvalidAmount | 100/50 | 0
        a=    | card 7 reverse a to 50           | Approved 0    | 100/50 | 0
        a1    | card 7 reverse a to 20           | Approved 30   | 100/80 | 0
        a2    | card 7 reverse a                 | Approved 0    | 100/80 | 0
        a3    | card 7 complete a W>M 21         | OverTolerance | 100/80 | 0
        a4    | card 7 complete a W>M 20         | Approved 20   | 80     | 20
        b     | card 7 hold W>M 50               | Approved 50   | 80/30  | 20
        b1    | card 7 reverse b                 | Approved 50   | 80     | 20
        b2    | card 7 complete b W>M 50         | HoldNotFound  | 80     | 20
        # Captured in part: what is left may go, what was captured may not.
        c     | hold W>M 50                      | Approved 50   | 80/30  | 20
        c1    | capture c 20                     | Approved 20   | 60/30  | 40
        c2    | reverse c                        | NotReversible | 60/30  | 40
        c3    | reverse c to 19                  | NotReversible | 60/30  | 40
        c4    | reverse c to 30                  | Approved 20   | 60/50  | 40
        c5    | capture c 11                     | InvalidAmount | 60/50  | 40
        c6    | capture c 10                     | Approved 10   | 50     | 50
        c7    | reverse c1                       | Approved 20   | 70     | 30
        # Captured in full, then the hold reversed.
        d     | hold W>M 50                      | Approved 50   | 70/20  | 30
        d1    | capture d 40 last                | Approved 40   | 30     | 70
        d2    | reverse d                        | NotReversible | 30     | 70
        d3    | reverse d to 40                  | Approved 0    | 30     | 70
        e     | hold W>M 10                      | Approved 10   | 30/20  | 70
        e1    | void e                           | Approved 10   | 30     | 70
        e2    | reverse e                        | Approved 0    | 30     | 70
        e3    | reverse e1                       | NotReversible | 30     | 70
    ";

    a_reversal_that_comes_first: "
        id    | event                          | outcome                | W   | M
        fund  | post BANK>W 100                | Approved               | 100 | 0
        name late -5s
        rev   | card 7 reverse late            | OriginalNotFound       | 100 | 0
        rev   | card 7 reverse late            | OriginalNotFound again | 100 | 0
        late  | card 7 post W>M 10             | TooLate                | 100 | 0
        late  | card 7 post W>M 10             | TooLate again          | 100 | 0
        rev   | card 7 reverse late            | OriginalNotFound again | 100 | 0
        # Refused for being late comes before all that could be said of it.
        name poor -5s
        rev2  | card 7 reverse poor advice     | OriginalNotFound       | 100 | 0
        poor  | card 7 decline 51              | TooLate                | 100 | 0
        name rest -5s
        rev3  | reverse rest                   | OriginalNotFound       | 100 | 0
        rest  | post W>M 10                    | TooLate                | 100 | 0
        # An advice may come days later.
        name far -1s
        rev4  | card 7 reverse far             | OriginalNotFound       | 100 | 0
        wait 6d
        tick  | tick                           | Approved 0             |     |
        far   | card 7 post W>M 10 advice      | TooLate                | 100 | 0
        wait 1d
        tick2 | tick                           | Approved 0             |     |
        name far2 -7d
        far2  | card 7 post W>M 10 advice      | IdTooOld               | 100 | 0
    ";

    numbers_are_used_again_after_a_reversal: "
        id    | event                               | outcome          | W   | M
        fund  | post BANK>W 100                     | Approved         | 100 | 0
        wait 1m
        rev   | card 7 reverse #stan5               | OriginalNotFound | 100 | 0
        # A purchase that was sent before the reversal is the one it means.
        slow  | card 7 post W>M 10 keys=#stan5 at=-30s | TooLate       | 100 | 0
        # The terminal counts from 1 again: a new purchase of the same number is none of the reversal's business.
        wait 1s
        next  | card 7 post W>M 10 keys=#stan5      | Approved 10      | 90  | 10
        # Sent before it and held up on the way: what it means is not the purchase made since.
        rev2  | card 7 reverse #stan5 at=-30s       | Approved 0       | 90  | 10
        rev3  | card 7 reverse #stan5               | Approved 10      | 100 | 0
        # The next morning, the same number again; the purchase of yesterday is not meant by today's reversal.
        buy   | card 7 post W>M 10 keys=#stan6      | Approved 10      | 90  | 10
        wait 25h
        rev4  | card 7 reverse #stan6               | OriginalNotFound | 90  | 10
        # Nor is an advice of three days ago that comes late.
        adv   | card 7 post W>M 1 advice keys=#stan6 at=-3d | Approved 1 | 89 | 11
        # By its id it is found for seven days.
        rev5  | card 7 reverse buy                  | Approved 10      | 99  | 1
        # A hold that is open is found by its number however old it is.
        hold  | card 7 hold W>M 20 keys=#stan7      | Approved 20      | 99/79 | 1
        wait 3d
        rev6  | card 7 reverse #stan7               | Approved 20      | 99  | 1
    ";

    no_room_for_another_unknown_original: "
        bounds tombstones=1
        id   | event                           | outcome           | W   | M
        fund | post BANK>W 100                 | Approved          | 100 | 0
        name a -5s
        name b -5s
        ra   | card 7 reverse a                | OriginalNotFound  | 100 | 0
        # Not recorded: sending it again asks again.
        rb   | card 7 reverse b                | Full              | 100 | 0
        rb   | card 7 reverse b                | Full              | 100 | 0
        # The place that is taken serves again, and known originals need none.
        ra2  | card 7 reverse a                | OriginalNotFound  | 100 | 0
        c    | card 7 post W>M 10              | Approved 10       | 90  | 10
        rc   | card 7 reverse c                | Approved 10       | 100 | 0
        # The original comes, and then its reversal finds it.
        b    | card 7 post W>M 10              | Approved 10       | 90  | 10
        rb   | card 7 reverse b                | Approved 10       | 100 | 0
        a    | card 7 post W>M 10              | TooLate           | 100 | 0
        # An original that is too old to be accepted takes no place.
        name e -8d
        re   | card 7 reverse e                | OriginalNotFound  | 100 | 0
        wait 7d
        tick | tick                            | Approved 0        | 100 | 0
        name d -5s
        rd   | card 7 reverse d                | OriginalNotFound  | 100 | 0
    ";
}
