//! Events that come again, and how long they are known.

sheets! {
    duplicates_get_the_first_answer: "
        id   | event                              | outcome                | W   | M
        fund | post BANK>W 100                    | Approved               | 100 | 0
        buy  | card 7 post W>M 10 content=x       | Approved 10            | 90  | 10
        buy  | card 7 post W>M 10 content=x       | Approved 10 again      | 90  | 10
        buy  | card 7 post W>M 11 content=y       | ReusedWithOtherContent | 90  | 10
        buy  | card 7 post W>M 10 content=x       | Approved 10 again      | 90  | 10
        # The id and the content count, whatever else the copy says.
        buy  | card 8 decline 5 content=x         | Approved 10 again      | 90  | 10
        big  | card 7 post W>M 91 content=x       | InsufficientFunds      | 90  | 10
        more | post BANK>W 100                    | Approved               | 190 | 10
        # A refusal stays one, even where it would be an approval now.
        big  | card 7 post W>M 91 content=x       | InsufficientFunds again | 190 | 10
        no   | card 7 decline 51                  | Declined               | 190 | 10
        no   | card 7 decline 54                  | Declined again         | 190 | 10
    ";

    repeats_under_another_id: "
        id    | event                                            | outcome                | W   | M
        fund  | post BANK>W 100                                  | Approved               | 100 | 0
        first | card 7 post W>M 10 keys=#k content=x             | Approved 10            | 90  | 10
        wait 1m
        rep   | card 7 post W>M 10 keys=#k repeat=#k content=x   | Approved 10 again      | 90  | 10
        rep2  | card 7 post W>M 11 keys=#k repeat=#k content=y   | ReusedWithOtherContent | 90  | 10
        # Not marked as a repeat, it is another purchase.
        next  | card 7 post W>M 10 keys=#k content=x             | Approved 10            | 80  | 20
        new   | card 7 post W>M 10 keys=#n repeat=#n content=x   | Approved 10            | 70  | 30
        # The repeat overtook its first copy, which is no second purchase.
        wait 1m
        fast  | card 7 post W>M 10 keys=#o repeat=#o content=x   | Approved 10            | 60  | 40
        slow  | card 7 post W>M 10 keys=#o content=x at=-1m      | Approved 10 again      | 60  | 40
        slow2 | card 7 post W>M 11 keys=#o content=y at=-1m      | Approved 11            | 49  | 51
        after | card 7 post W>M 10 keys=#o content=x             | Approved 10            | 39  | 61
    ";

    a_repeat_is_named_by_its_own_id_too: "
        id    | event                                            | outcome                | W   | M
        fund  | post BANK>W 100                                  | Approved               | 100 | 0
        first | card 7 post W>M 10 keys=#k content=x             | Approved 10            | 90  | 10
        wait 1m
        rep   | card 7 decline 96 keys=#k repeat=#k content=x    | Approved 10 again      | 90  | 10
        rev   | card 7 reverse rep content=x                     | Approved 10            | 100 | 0
        rev1  | card 7 reverse first content=x                   | Approved 0             | 100 | 0
        # Known by its id from now on, whatever else it says.
        rep   | card 7 decline 96 content=x                      | Approved 10 again      | 100 | 0
        rep   | card 7 decline 96 content=y                      | ReusedWithOtherContent | 100 | 0
        # The repeat came first, and the first copy after it is the one that is named.
        fast  | card 7 post W>M 10 keys=#o repeat=#o content=x   | Approved 10            | 90  | 10
        slow  | card 7 post W>M 10 keys=#o content=x at=-1m      | Approved 10 again      | 90  | 10
        rev2  | card 7 reverse slow content=y                    | OriginalDiffers        | 90  | 10
        rev3  | card 7 reverse slow content=x                    | Approved 10            | 100 | 0
        # A completion may name a hold by its repeat.
        hold  | card 7 hold W>M 10 keys=#h                       | Approved 10            | 100/90 | 0
        hrep  | card 7 hold W>M 10 keys=#h repeat=#h             | Approved 10 again      | 100/90 | 0
        done  | card 7 complete hrep W>M 9                       | Approved 9             | 91  | 9
        # Of many copies the last eight are known.
        buy   | card 7 post W>M 10 keys=#b                       | Approved 10            | 81  | 19
        b1    | card 7 post W>M 10 keys=#b repeat=#b             | Approved 10 again      | 81  | 19
        b2    | card 7 post W>M 10 keys=#b repeat=#b             | Approved 10 again      | 81  | 19
        b3    | card 7 post W>M 10 keys=#b repeat=#b             | Approved 10 again      | 81  | 19
        b4    | card 7 post W>M 10 keys=#b repeat=#b             | Approved 10 again      | 81  | 19
        b5    | card 7 post W>M 10 keys=#b repeat=#b             | Approved 10 again      | 81  | 19
        b6    | card 7 post W>M 10 keys=#b repeat=#b             | Approved 10 again      | 81  | 19
        b7    | card 7 post W>M 10 keys=#b repeat=#b             | Approved 10 again      | 81  | 19
        b8    | card 7 post W>M 10 keys=#b repeat=#b             | Approved 10 again      | 81  | 19
        b9    | card 7 post W>M 10 keys=#b repeat=#b             | Approved 10 again      | 81  | 19
        rb1   | card 7 reverse b1                                | OriginalNotFound       | 81  | 19
        rb2   | card 7 reverse b2                                | Approved 10            | 91  | 9
    ";

    a_repeat_is_remembered_as_long_as_its_own_id_is_accepted: "
        id    | event                                            | outcome                | W   | M
        fund  | post BANK>W 100                                  | Approved               | 100 | 0
        first | card 7 decline 51 keys=#k                        | Declined               | 100 | 0
        wait 23h
        rep   | card 7 decline 51 keys=#k repeat=#k              | Declined again         | 100 | 0
        wait 22h
        tick  | tick                                             | Approved 0             | 100 | 0
        rep   | card 7 post W>M 10 keys=#k repeat=#k             | Declined again         | 100 | 0
        first | card 7 post W>M 10 keys=#k                       | IdTooOld               | 100 | 0
        wait 1h
        tick2 | tick                                             | Approved 0             | 100 | 0
        wait 1h
        rep   | card 7 post W>M 10 keys=#k repeat=#k             | IdTooOld               | 100 | 0
    ";

    a_repeat_of_other_content_is_another_transaction: "
        id    | event                                               | outcome                | W   | M
        fund  | post BANK>W 100                                     | Approved               | 100 | 0
        # A number came round again, and its first copy was lost; the purchase before it has nothing to do with that.
        rep   | card 7 post W>M 10 keys=#k,#r repeat=#k content=x   | Approved 10            | 90  | 10
        wait 1m
        name lost -30s
        name late -20s
        rev   | card 7 reverse lost#r content=y                     | OriginalNotFound       | 90  | 10
        rev   | card 7 reverse lost#r content=y                     | OriginalNotFound again | 90  | 10
        # Both ways in which it may still come are closed.
        late  | card 7 post W>M 11 keys=#l,#r repeat=#l content=y   | TooLate                | 90  | 10
        lost  | card 7 post W>M 11 keys=#l content=y                | TooLate                | 90  | 10
        # Named by its own id, it is the one that is meant.
        rev2  | card 7 reverse rep#r content=y                      | OriginalDiffers        | 90  | 10
        rev3  | card 7 reverse rep#r content=x                      | Approved 10            | 100 | 0
    ";

    ids_are_accepted_for_a_day_and_advices_for_seven: "
        id    | event                                     | outcome                | W   | M
        fund  | post BANK>W 100                           | Approved               | 100 | 0
        old   | card 7 post W>M 1 at=-25h                 | IdTooOld               | 100 | 0
        edge  | card 7 post W>M 1 at=-86400000ms          | IdTooOld               | 100 | 0
        in    | card 7 post W>M 1 at=-86399999ms          | Approved 1             | 99  | 1
        adv   | card 7 post W>M 1 advice at=-7d           | IdTooOld               | 99  | 1
        adv2  | card 7 post W>M 1 advice at=-604799999ms  | Approved 1             | 98  | 2
        soon  | card 7 post W>M 1 at=86400001ms           | Approved 1             | 97  | 3
        far   | card 7 post W>M 1 at=86400002ms           | IdTooOld               | 97  | 3
        buy   | card 7 post W>M 1 content=x               | Approved 1             | 96  | 4
        hold  | card 7 hold W>M 1 for=5d                  | Approved 1             | 96/95 | 4
        note  | card 7 post W>M 1 advice                  | Approved 1             | 95/94 | 5
        wait 23h
        buy   | card 7 post W>M 1 content=x               | Approved 1 again       | 95/94 | 5
        wait 2h
        # Remembered for its reversal, but not accepted any more.
        buy   | card 7 post W>M 1 content=x               | IdTooOld               | 95/94 | 5
        buy   | card 7 post W>M 1 content=y               | ReusedWithOtherContent | 95/94 | 5
        hold  | card 7 hold W>M 1 for=5d                  | IdTooOld               | 95/94 | 5
        note  | card 7 post W>M 1 advice                  | Approved 1 again       | 95/94 | 5
        tick  | tick                                      | Approved 0             | 95/94 | 5
        buy   | card 7 post W>M 1 content=y               | ReusedWithOtherContent | 95/94 | 5
        wait 6d
        tick2 | tick                                      | Approved 1             | 95  | 5
        buy   | card 7 post W>M 1 content=y               | IdTooOld               | 95  | 5
        note  | card 7 post W>M 1 advice                  | IdTooOld               | 95  | 5
    ";

    no_room_to_remember_more: "
        bounds records=8 holds=2
        # Four rows are the accounts' own.
        id    | event                            | outcome           | W      | M
        fund  | post BANK>W 100                  | Approved          | 100    |
        wait 1s
        hold  | card 7 hold W>M 10 keys=#h       | Approved 10       | 100/90 |
        wait 1s
        one   | card 7 post W>M 1                | Approved 1        | 99/89  | 1
        wait 1s
        two   | card 7 post W>M 1                | Approved 1        | 98/88  | 2
        wait 1s
        three | card 7 post W>M 1                | Approved 1        | 97/87  | 3
        four  | card 7 post W>M 1                | Approved 1        | 96/86  | 4
        five  | card 7 post W>M 1                | Approved 1        | 95/85  | 5
        six   | card 7 post W>M 1                | Approved 1        | 94/84  | 6
        seven | card 7 post W>M 1                | Approved 1        | 93/83  | 7
        # The oldest went, and whatever is as old is refused, because it might be one of them; the hold stayed.
        two   | card 7 post W>M 1                | Approved 1 again  | 93/83  | 7
        fund  | post BANK>W 100                  | IdTooOld          | 93/83  | 7
        new   | card 7 post W>M 1 at=-1h         | IdTooOld          | 93/83  | 7
        done  | card 7 complete #h W>M 10        | Approved 10       | 83     | 17
        # Completed, the hold is a row like the others, and the oldest.
        hold  | card 7 hold W>M 10 keys=#h       | IdTooOld          | 83     | 17
    ";
}
