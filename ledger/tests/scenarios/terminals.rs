//! Totals of terminals, and their business days.

sheets! {
    totals_are_those_of_what_was_posted: "
        id    | event                                               | outcome           | W   | day:5
        fund  | post BANK>W 100                                     | Approved          | 100 | -
        buy   | card 7 post W>M 10 total=5.debit.20261127           | Approved 10       | 90  | 20261127 1/10,0/0,0/0,0/0
        buy   | card 7 post W>M 10 total=5.debit.20261127           | Approved 10 again | 90  | 20261127 1/10,0/0,0/0,0/0
        # The day that has begun is the one that counts, whatever date comes with an event.
        back  | card 7 post M>W 3 total=5.credit.20261201           | Approved 3        | 93  | 20261127 1/10,0/0,1/3,0/0
        poor  | card 7 post W>M 999 total=5.debit.20261127          | InsufficientFunds | 93  | 20261127 1/10,0/0,1/3,0/0
        # A hold is counted when it is completed, with what is posted.
        hold  | card 7 hold W>M 20 total=5.debit.20261127           | Approved 20       | 93/73 | 20261127 1/10,0/0,1/3,0/0
        done  | card 7 complete hold W>M 15 total=5.debit.20261127  | Approved 15       | 78  | 20261127 2/25,0/0,1/3,0/0
        off   | card 7 force - W>M 8 total=5.debit.20261127 advice  | Approved 8        | 70  | 20261127 3/33,0/0,1/3,0/0
        rest  | post W>M 1 total=5.debit.20261127                   | Approved 1        | 69  | 20261127 4/34,0/0,1/3,0/0
        # Reversals are counted once, with what was taken back, on the side of their original.
        rev   | card 7 reverse done to 5                            | Approved 10       | 79  | 20261127 4/34,1/10,1/3,0/0
        rev2  | card 7 reverse done                                 | Approved 0        | 79  | 20261127 4/34,1/10,1/3,0/0
        rev3  | card 7 reverse back                                 | Approved 3        | 76  | 20261127 4/34,1/10,1/3,1/3
        # Another terminal, another currency, no terminal.
        none  | card 7 post W>M 1                                   | Approved 1        | 75  | 20261127 4/34,1/10,1/3,1/3
        other | card 7 post W>M 1 total=6.debit.20261127            | Approved 1        | 74  | 20261127 4/34,1/10,1/3,1/3
    ";

    a_day_is_closed_and_the_next_begins: "
        id   | event                                                | outcome       | W   | day:5 | closed:5
        fund | post BANK>W 100                                      | Approved      | 100 | - | -
        new  | close-totals 5 20261127                              | Approved by 0 |     | 20261127 0/0,0/0,0/0,0/0 | -
        buy  | card 7 post W>M 10 total=5.debit.20261231            | Approved 10   | 90  | 20261127 1/10,0/0,0/0,0/0 | -
        same | close-totals 5 20261127                              | DateNotLater  |     | 20261127 1/10,0/0,0/0,0/0 | -
        end  | close-totals 5 20261128 counted=1/10,0/0,0/0,0/0     | Approved by 0 |     | 20261128 0/0,0/0,0/0,0/0 | 20261127 1/10,0/0,0/0,0/0
        end  | close-totals 5 20261128 counted=1/10,0/0,0/0,0/0     | Approved again |    | 20261128 0/0,0/0,0/0,0/0 | 20261127 1/10,0/0,0/0,0/0
        # What is reversed afterwards counts on the day on which it is.
        rev  | card 7 reverse buy                                   | Approved 10   | 100 | 20261128 0/0,1/10,0/0,0/0 | 20261127 1/10,0/0,0/0,0/0
        # Days may be left out. The terminal has counted something else: told, and closed all the same.
        end2 | close-totals 5 20261201 counted=1/10,0/0,0/0,0/0     | Approved by 1 |     | 20261201 0/0,0/0,0/0,0/0 | 20261128 0/0,1/10,0/0,0/0
        fix  | reverse end2                                         | NotReversible |     |  |
    ";

    no_room_for_another_terminal: "
        bounds terminals=1
        id   | event                                       | outcome    | W   | day:5 | day:6
        fund | post BANK>W 100                             | Approved   | 100 | - | -
        one  | post W>M 1 total=5.debit.20261127           | Approved 1 | 99  | 20261127 1/1,0/0,0/0,0/0 | -
        two  | post W>M 1 total=6.debit.20261127           | Full       | 99  |  | -
        hold | card 7 hold W>M 1                           | Approved 1 | 99/98 | | -
        take | card 7 complete hold W>M 1 total=6.debit.20261127 | Full | 99/98 | | -
        end  | close-totals 6 20261127                     | Full       |     |  | -
        off  | card 7 force - W>M 1 total=6.debit.20261127 | Approved 1 | 98/97 |  | -
        rev  | card 7 reverse off                          | Approved 1 | 99/98 |  | -
        more | post W>M 1 total=5.debit.20261127           | Approved 1 | 98/97 | 20261127 2/2,0/0,0/0,0/0 | -
    ";
}
