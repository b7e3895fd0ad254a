//! What the ledger does with each kind of event, as worksheets. See `worksheet.rs` for how to read them.

mod worksheet;

/// A test for each sheet, and one that no outcome is missing in them.
macro_rules! sheets {
    ($($name:ident: $text:expr;)*) => {
        $(#[test]
        fn $name() {
            worksheet::work($text);
        })*

        #[test]
        fn every_code_is_in_a_sheet() {
            let sheets = [$($text),*].concat();
            for code in Code::ALL {
                let word = format!("| {code:?}");
                assert!(sheets.contains(&word), "{code:?} is in no sheet");
            }
        }
    };
}

use ledger::Code;

#[test]
fn the_numbers_are_the_precedence_and_none_is_left_out() {
    for (number, code) in Code::ALL.into_iter().enumerate() {
        assert_eq!(code as usize, number);
    }
}

sheets! {
    accounts_open_and_close: "
        id     | event                        | outcome           | A   | W
        dollar | open A 840                   | Approved 0        | 0   |
        again  | open A 840                   | AccountExists     | 0   |
        other  | open A 710                   | AccountExists     | 0   |
        fund   | post BANK>W 5                | Approved 5        |     | 5
        full   | close W                      | AccountInUse      |     | 5
        void   | post W>BANK 5                | Approved 5        |     | 0
        held   | post BANK>W 5                | Approved 5        |     | 5
        hold   | hold W>M 5                   | Approved 5        |     | 5/0
        take   | post W>BANK 1                | InsufficientFunds |     | 5/0
        busy   | close M                      | AccountInUse      |     |
        free   | void hold                    | Approved 5        |     | 5
        back   | post W>BANK 5                | Approved 5        |     | 0
        close  | close W                      | Approved 0        |     | 0
        twice  | close W                      | AccountClosed     |     |
        reopen | open W 710                   | AccountExists     |     |
        none   | close X                      | AccountNotFound   |     |
        in     | post BANK>W 1                | AccountClosed     |     |
        ask    | card 7 inquire W             | AccountClosed     |     |
    ";

    entries_balance_or_are_refused: "
        id   | event                             | outcome           | BANK | W   | V | M
        fund | post BANK>W 100                   | Approved 100      | -100 | 100 | 0 | 0
        fee  | post W-50,M+47,V+3                | Approved 50       | -100 | 50  | 3 | 47
        same | post W>W 5                        | InvalidEntry      | -100 | 50  | 3 | 47
        zero | post W>M 0                        | InvalidEntry      |      |     |   |
        lop  | post W-5,M+4                      | InvalidEntry      |      |     |   |
        one  | post W-5                          | InvalidEntry      |      |     |   |
        none | post                              | InvalidEntry      |      |     |   |
        nil  | post W-5,M+5,V+0                  | InvalidEntry      |      |     |   |
        two  | post W-5,M+3,M+2                  | InvalidEntry      |      |     |   |
        min  | post W>M MIN                      | InvalidEntry      |      |     |   |
        cur  | post W>M 5 cur=840                | CurrencyMismatch  |      |     |   |
        lost | post W>X 5                        | AccountNotFound   |      |     |   |
        poor | post W>M 51                       | InsufficientFunds |      | 50  |   | 47
        last | post W>M 50                       | Approved 50       |      | 0   |   | 97
        neg  | post W>M -30                      | Approved 30       | -100 | 30  | 3 | 67
    ";

    up_to_sixteen_postings: "
        id  | event                                                                                       | outcome
        o1  | open a 710 | Approved
        o2  | open b 710 | Approved
        o3  | open c 710 | Approved
        o4  | open d 710 | Approved
        o5  | open e 710 | Approved
        o6  | open f 710 | Approved
        o7  | open g 710 | Approved
        o8  | open h 710 | Approved
        o9  | open i 710 | Approved
        o10 | open j 710 | Approved
        o11 | open k 710 | Approved
        o12 | open l 710 | Approved
        id  | event | outcome | BANK | a | l | W
        p16 | post BANK-15,a+1,b+1,c+1,d+1,e+1,f+1,g+1,h+1,i+1,j+1,k+1,l+1,W+1,V+1,M+1 | Approved 15 | -15 | 1 | 1 | 1
        rev | reverse p16 | Approved 15 | 0 | 0 | 0 | 0
        o17 | open m 710  | Approved
        p17 | post BANK-16,a+1,b+1,c+1,d+1,e+1,f+1,g+1,h+1,i+1,j+1,k+1,l+1,m+1,W+1,V+1,M+1 | InvalidEntry | 0 | 0 | 0 | 0
        h16 | hold BANK-15,a+1,b+1,c+1,d+1,e+1,f+1,g+1,h+1,i+1,j+1,k+1,l+1,W+1,V+1,M+1 | Approved 15 | 0/-15 | 0 | 0 | 0
        c1  | capture h16 14       | InvalidAmount | 0/-15
        r1  | reverse h16 to 3     | NotReversible | 0/-15
        c2  | capture h16 15       | Approved 15   | -15 | 1 | 1 | 1
    ";

    the_ends_of_64_bits: "
        id   | event                      | outcome           | BANK     | W     | M | A
        all  | post BANK>W MAX            | Approved MAX      | -MAX     | MAX   | 0 |
        more | post BANK>V 1              | Overflow          | -MAX     | MAX   |   |
        in   | post V>W 1                 | InsufficientFunds |          |       |   |
        free | open A 710 floor=unlimited | Approved          |          |       |   | 0
        over | post A>W 1                 | Overflow          |          | MAX   |   | 0
        sum  | post A-MAX,M+MAX,BANK+MAX,V-MAX | InsufficientFunds | |   |   | 0
        b    | open B 710 floor=unlimited | Approved          |          |       |   |
        wide | post A-MAX,M+MAX,V+MAX,B-MAX | Overflow        | -MAX     | MAX   | 0 | 0
        hold | hold W>M MAX               | Approved MAX      |          | MAX/0 | 0 |
        none | post A>M 1                 | Overflow          |          |       | 0 | 0
        part | capture hold 1             | Approved 1        |          | 9223372036854775806/0 | 1 |
        rest | capture hold 9223372036854775806 last | Approved 9223372036854775806 | | 0 | MAX |
        neg  | reverse all to MIN         | InvalidAmount     |          |       |   |
        low  | reverse all to -1          | InvalidAmount     |          |       |   |
        high | reverse all to MAX         | Approved 0        | -MAX     | 0     |   |
        back | reverse all                | Overflow          | -MAX     | 0     | MAX |
        rcap | reverse rest to MIN        | InvalidAmount     |          |       |   |
        wcap | capture hold MIN           | HoldNotFound      |          |       |   |
    ";

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

    a_batch_is_posted_whole_or_not_at_all: "
        id    | event                                   | outcome           | W      | M  | V
        fund  | post BANK>W 100                         | Approved 100      | 100    | 0  | 0
        pay   | batch W>M 60 & M>V 50 & BANK>W 5        | Approved 115      | 45     | 10 | 50
        pay   | batch W>M 60 & M>V 50 & BANK>W 5        | Approved 115 again | 45    | 10 | 50
        # Each entry is judged after those before it: what comes in first may go out again.
        order | batch M>V 30 & W>M 20                   | InsufficientFunds | 45     | 10 | 50
        other | batch W>M 20 & M>V 30                   | Approved 50       | 25     | 0  | 80
        poor  | batch W>M 25 & W>M 1                    | InsufficientFunds | 25     | 0  | 80
        form  | batch W>M 5 & W>W 5                     | InvalidEntry      | 25     | 0  | 80
        acc   | batch W>M 5 & W>X 5                     | AccountNotFound   | 25     | 0  | 80
        cur   | batch W>M 5 cur=840                     | CurrencyMismatch  | 25     | 0  | 80
        back  | reverse other                           | NotReversible     | 25     | 0  | 80
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

    what_was_paid_elsewhere_is_posted_whatever_there_is: "
        id    | event                                | outcome          | W       | M
        fund  | post BANK>W 100                      | Approved         | 100     | 0
        d     | open D 840 floor=unlimited           | Approved         |         |
        e     | open E 840 floor=unlimited           | Approved         |         |
        poor  | card 7 post W>M 130                  | InsufficientFunds | 100    | 0
        adv   | card 7 force - W>M 130               | Approved 130     | -30     | 130
        adv   | card 7 force - W>M 130               | Approved 130 again | -30   | 130
        form  | card 7 force - W>M 0                 | InvalidEntry     | -30     | 130
        acc   | card 7 force - W>X 1                 | AccountNotFound  | -30     | 130
        cur   | card 7 force - W>M 1 cur=840         | CurrencyMismatch | -30     | 130
        undo  | card 7 reverse adv                   | Approved 130     | 100     | 0
        # A hold that is named goes, one of another card or another currency stays.
        a     | card 7 hold W>M 50 keys=#rrn         | Approved 50      | 100/50  | 0
        other | card 8 force #rrn W>M 10             | Approved 10      | 90/40   | 10
        far   | card 7 force #rrn D>E 1 cur=840      | Approved 1       | 90/40   | 10
        all   | card 7 force #rrn W>M 95             | Approved 95      | -5      | 105
        twice | card 7 force #rrn W>M 5              | Approved 5       | -10     | 110
        void  | card 7 reverse a                     | NotReversible    | -10     | 110
        none  | card 7 force #none W>M 5             | Approved 5       | -15     | 115
        wrong | card 7 force - W>M 5 pin=wrong       | WrongPin         | -15     | 115
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

    no_room_for_accounts_and_holds: "
        bounds accounts=5 holds=1
        id   | event                     | outcome           | W     | M
        five | open A 710                | Approved          |       |
        six  | open B 710                | Full              |       |
        six2 | open A 710                | AccountExists     |       |
        fund | post BANK>W 100           | Approved          | 100   |
        a    | hold W>M 10               | Approved 10       | 100/90 |
        b    | hold W>M 10               | Full              | 100/90 |
        b2   | hold W>M 91               | InsufficientFunds | 100/90 |
        c    | card 7 hold W>M 10        | Full              | 100/90 |
        free | void a                    | Approved 10       | 100   |
        # A copy of what was refused is refused: whoever asked has been told no.
        c    | card 7 hold W>M 10        | Full again        | 100   |
        d    | card 7 hold W>M 10        | Approved 10       | 100/90 |
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

    the_smallest_number_is_given: "
        id    | event                                          | outcome           | W   | tries:7
        fund  | post BANK>W 100                                | Approved          | 100 | 0
        a     | open A 710                                     | Approved          |     |
        d     | open D 840                                     | Approved          |     |
        shut  | close A                                        | Approved          |     |
        # Entry before accounts, accounts before currency, currency before funds, in whatever order they stand.
        e1    | post W-5,X+4                                   | InvalidEntry      | 100 |
        e2    | post A-999,X+999                               | AccountNotFound   | 100 |
        e3    | post X-999,A+999                               | AccountNotFound   | 100 |
        e4    | post D-999,X+999                               | AccountNotFound   | 100 |
        e5    | post D-999,A+999                               | AccountClosed     | 100 |
        e6    | post A-999,D+999                               | AccountClosed     | 100 |
        e7    | post W-999,D+999                               | CurrencyMismatch  | 100 |
        e8    | post D-999,W+999                               | CurrencyMismatch  | 100 |
        e9    | post BANK>W MAX                                | Overflow          | 100 |
        e10   | post W-MAX,BANK+MAX                            | InsufficientFunds | 100 |
        # Known, too old, buried, declined, PIN: each before the next.
        name late -1s
        r     | card 7 reverse late                            | OriginalNotFound  |     |
        late  | card 7 decline 5 pin=wrong                     | TooLate           |     | 0
        dec   | card 7 decline 5 pin=wrong                     | Declined          |     | 0
        pin   | card 7 post W-5,X+4 pin=wrong                  | WrongPin          |     | 1
        buy   | card 7 post W>M 1 content=x                    | Approved          | 99  |
        wait 25h
        buy   | card 7 post W>M 1 content=y                    | ReusedWithOtherContent | 99 |
        # Completions: hold, approval, tolerance, accounts, funds.
        h     | card 7 hold W>M 50                             | Approved          | 99/49 |
        c1    | card 7 complete late W>X 999 approval=1        | HoldNotFound      | 99/49 |
        c2    | card 7 complete h W>X 999 approval=1           | ApprovalMismatch  | 99/49 |
        c3    | card 7 complete h W>X 999 approval=h           | OverTolerance     | 99/49 |
        c4    | card 7 complete h W>X 999 tol=999999           | AccountNotFound   | 99/49 |
        c5    | card 7 complete h W>M 999 tol=999999           | InsufficientFunds | 99/49 |
        # Reversals: content, amount, whether it can be divided, accounts.
        i     | open I 710                                     | Approved          |     |
        j     | post BANK-3,I+1,W+2                            | Approved          |     |
        j2    | post I>W 1                                     | Approved          |     |
        i2    | close I                                        | Approved          |     |
        r1    | reverse j to 4                                 | InvalidAmount     |     |
        r2    | reverse j to 2                                 | NotReversible     |     |
        r3    | reverse j                                      | AccountClosed     |     |
        k     | card 7 post W>M 1 content=x                    | Approved          |     |
        r4    | card 7 reverse k to 9 content=y                | OriginalDiffers   |     |
        x     | close X                                        | AccountNotFound   |     |
    ";
}
