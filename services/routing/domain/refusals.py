"""Why an answer of an agency is not applied: one row for each rule, the same by either door.

The rule is a stable code, the place a field of the answer (empty: the answer as a whole). Not here:
which answer breaks which rule (answers.py, submission.py).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final, Literal

#: As HTTP says it: the answer is wrong; the state forbids it; there is no such task.
WRONG: Final = 422
CONFLICT: Final = 409
NOT_FOUND: Final = 404


@dataclass(frozen=True, slots=True)
class Refusal:
    """One rule that an answer breaks, where, and the words for people."""

    rule: str
    place: str
    vi: str
    en: str
    status: Literal[404, 409, 422] = WRONG

    def said(self, **values: Any) -> Refusal:
        """The same with values in its words."""
        return replace(self, vi=self.vi.format(**values), en=self.en.format(**values))

    @property
    def pointer(self) -> str:
        """Its place as a JSON pointer into an answer's message."""
        steps = _IN_ENVELOPE.get(self.place, f"data/{self.place}".replace(".", "/"))
        return f"#/{steps}".rstrip("/")[:200]


# What the API's body calls by another name than the message, and what only a message has.
_IN_ENVELOPE: Final = {"": "", "answer_id": "id", "kind": "type"} | {
    name: name
    for name in (
        "specversion", "time", "datacontenttype", "dataschema", "sequence", "epoch", "follows",
        "correlationid", "causationid", "traceparent", "after", "actor", "data",
    )
}  # fmt: skip

BAD_ENVELOPE: Final = Refusal(
    "bad_envelope",
    "",
    "Khuôn bản tin (CloudEvents 1.0) sai, xem {place}; thời điểm phải có múi giờ, như "
    "2022-03-14T08:15:00+07:00.",
    "the CloudEvents 1.0 envelope is wrong: {fault}; an instant needs its offset, as in "
    "2022-03-14T08:15:00+07:00",
)

UNKNOWN_KIND: Final = Refusal(
    "unknown_kind",
    "kind",
    "Không có loại câu trả lời này; các loại là: {kinds}.",
    "there is no such kind of answer; the kinds are: {kinds}",
)
UNKNOWN_VERSION: Final = Refusal(
    "unknown_version",
    "kind",
    "Phiên bản này của câu trả lời chưa dùng ở đây; hãy gửi phiên bản v1.",
    "this version of the answer is not used here; send version v1",
)
KIND_DIFFERS: Final = Refusal(
    "kind_differs",
    "kind",
    "Loại câu trả lời khác với khóa định tuyến của bản tin.",
    "the type names another kind of answer than the routing key",
)
TASK_DIFFERS: Final = Refusal(
    "task_differs",
    "task",
    "Nhiệm vụ trong dữ liệu (task) khác với subject của bản tin.",
    "data.task names another task than the subject of the message",
)
UNKNOWN_TASK: Final = Refusal(
    "unknown_task",
    "task",
    "Không có nhiệm vụ này.",
    "there is no such task",
    NOT_FOUND,
)
ANSWER_ID_USED: Final = Refusal(
    "answer_id_used",
    "answer_id",
    "Mã câu trả lời này đã dùng cho một câu trả lời khác.",
    "this answer id was used for another answer",
    CONFLICT,
)

SIGNATURE_WRONG: Final = Refusal(
    "signature_wrong",
    "signature",
    "Không ghi nhận: chữ ký số không khớp với câu trả lời này. Kiểm tra khóa ký và cách ký (tài liệu "
    "cho cơ quan, mục chữ ký), rồi trả lời lại bằng một mã mới.",
    "the signature does not hold for this answer: look at your key and at how you sign (agencies.md), "
    "then answer anew under a new id",
)
SIGNATURE_KEY: Final = Refusal(
    "signature_key_unknown",
    "signature",
    "Không ghi nhận: thành phố không biết khóa đã ký, hoặc khóa đã hết hiệu lực. Gửi khóa công khai cho "
    "người vận hành hệ thống, rồi trả lời lại bằng một mã mới.",
    "the city does not know the key that signed, or it has ended: give the city your public key, then "
    "answer anew under a new id",
)

BRANCH_MISSING: Final = Refusal(
    "branch_missing",
    "branch",
    "Bước này phải chọn cách giải quyết tiếp. Hãy chọn một trong: {names}.",
    "this step chooses how the dossier goes on; choose one of: {codes}",
)
UNKNOWN_BRANCH: Final = Refusal(
    "unknown_branch",
    "branch",
    "Bước này không có cách giải quyết đó. Hãy chọn một trong: {names}.",
    "this step has no such branch; choose one of: {codes}",
)
NO_BRANCH: Final = Refusal(
    "no_branch",
    "branch",
    "Không có nhánh nào để chọn ở đây: bước này không chọn nhánh, hoặc kết quả là không đồng ý.",
    "there is no branch to choose: this step chooses none, or its outcome is refused",
)

ALREADY_ANSWERED: Final = Refusal(
    "already_answered",
    "",
    "Nhiệm vụ đã có câu trả lời; câu trả lời này không thay đổi gì.",
    "the task has its answer; this one changes nothing",
    CONFLICT,
)
ALREADY_TRANSFERRED: Final = Refusal(
    "already_transferred",
    "",
    "Nhiệm vụ đã được chuyển cho cơ quan khác; câu trả lời này không thay đổi gì.",
    "the task was handed on to another agency; this answer changes nothing",
    CONFLICT,
)
NO_WAY_BACK: Final = Refusal(
    "no_way_back",
    "",
    "Bước này không được trả hồ sơ về bước trước. Nếu không giải quyết được, hãy từ chối kèm lý do.",
    "this step cannot send the dossier back; where it cannot be done, refuse it with a reason",
    CONFLICT,
)
SENT_BACK_BEFORE: Final = Refusal(
    "sent_back_before",
    "",
    "Đã trả về bước trước {limit} lần, là tối đa của thủ tục. Hãy trả kết quả hoặc từ chối kèm lý do.",
    "it was sent back {limit} time(s), which is the most; complete it or refuse it with a reason",
    CONFLICT,
)
NO_VERIFICATION: Final = Refusal(
    "no_verification",
    "",
    "Bước này không có thời gian xác minh bổ sung theo luật. Cần thêm thời gian thì xin gia hạn.",
    "the law gives this step no time for an extra verification; ask for more time instead",
    CONFLICT,
)
VERIFIED_BEFORE: Final = Refusal(
    "verified_before",
    "",
    "Bước này đã mở xác minh bổ sung {limit} lần, là tối đa. Cần thêm thời gian thì xin gia hạn.",
    "an extra verification was opened {limit} time(s), which is the most; ask for more time instead",
    CONFLICT,
)
VERIFY_TOO_LATE: Final = Refusal(
    "verify_too_late",
    "",
    "Đã quá hạn nên không mở xác minh bổ sung được nữa. Hãy nêu hạn mới và lý do (xin thêm thời gian).",
    "its date has passed, so no verification can be opened; name a new date (more_time_needed)",
    CONFLICT,
)
CITIZEN_FIRST: Final = Refusal(
    "citizen_first",
    "",
    "Đang chờ công dân, thời hạn tạm dừng. Hãy trả lời lại sau khi công dân đã bổ sung hoặc đã nộp tiền.",
    "the citizen has to act and the clock stands; answer again once papers or payment are there",
    CONFLICT,
)
ALREADY_PLACED: Final = Refusal(
    "already_placed",
    "",
    "Việc này không còn chờ điều phối: đã giao, hoặc hồ sơ đã kết thúc. Hãy tải lại danh sách.",
    "this waits for nobody's decision any more: it was placed, or the dossier has ended",
    CONFLICT,
)
UNKNOWN_AGENCY: Final = Refusal(
    "agency_unknown",
    "agency",
    "Không có cơ quan mang mã này. Hãy chọn trong danh mục, hoặc để trống nếu không rõ.",
    "there is no agency of this code today; leave it out where you do not know who is competent",
)
AGENCY_IS_SENDER: Final = Refusal(
    "agency_is_sender",
    "agency",
    "Cơ quan được nêu là chính cơ quan trả lời. Hãy nêu cơ quan khác, hoặc để trống.",
    "the agency named is your own; name another, or leave it out",
)
ALREADY_CANCELLED: Final = Refusal(
    "already_cancelled",
    "",
    "Nhiệm vụ đã bị hủy; câu trả lời này không thay đổi gì.",
    "the task was cancelled; this answer changes nothing",
    CONFLICT,
)
ALREADY_ASKED: Final = Refusal(
    "already_asked",
    "",
    "Đã có yêu cầu bổ sung đang chờ công dân.",
    "the citizen has been asked for papers already",
    CONFLICT,
)
DOSSIER_CLOSED: Final = Refusal(
    "dossier_closed",
    "",
    "Hồ sơ đã kết thúc; câu trả lời này không thay đổi gì.",
    "the dossier has ended; this answer changes nothing",
    CONFLICT,
)

REASON_MISSING: Final = Refusal(
    "missing_field",
    "reason",
    "Không nhận kết quả: từ chối phải có lý do.",
    "a refused outcome needs a reason: the citizen is told it",
)
ITEMS_MISSING: Final = Refusal(
    "missing_field",
    "items",
    "Không nhận yêu cầu bổ sung: phải nêu ít nhất một giấy tờ.",
    "name every missing item, at least one",
)
TOO_LONG: Final = Refusal(
    "too_long",
    "reason",
    "Không nhận: phần này dài {length} ký tự, tối đa {most}.",
    "this has {length} characters, at most {most} are taken",
)
TOO_MANY_ITEMS: Final = Refusal(
    "too_many_items",
    "items",
    "Không nhận yêu cầu bổ sung: có {count} mục, tối đa {most}.",
    "there are {count} items, at most {most} are taken",
)
UNKNOWN_RESULT: Final = Refusal(
    "result_code_unknown",
    "result_code",
    "Không nhận kết quả: mã kết quả không thuộc bước này; bước này có: {codes}.",
    "the result code is not one of this step's: {codes}",
)
UNKNOWN_FILE: Final = Refusal(
    "file_unknown",
    "file",
    "Không nhận kết quả: tệp chưa được nộp cho nhiệm vụ này; hãy nộp tệp rồi ghi biên nhận của nó.",
    "this is no receipt of a file that was handed in for this task; hand it in first",
)
NO_RESULT_CODE: Final = Refusal(
    "result_code_not_allowed",
    "result_code",
    "Không nhận kết quả: bước này không có mã kết quả.",
    "this step has no result codes",
)
AMOUNT_NOT_ASKED: Final = Refusal(
    "amount_not_asked",
    "amount_vnd",
    "Không nhận kết quả: sau câu trả lời này công dân không phải nộp tiền.",
    "the citizen pays nothing after this answer: leave the amount out",
)
ALREADY_PAID: Final = Refusal(
    "already_paid",
    "amount_vnd",
    "Không nhận số tiền mới: công dân đã nộp {amount} đồng.",
    "the citizen has already paid {amount} dong",
    CONFLICT,
)
NOTHING_TO_PAY: Final = Refusal(
    "nothing_to_pay",
    "amount_vnd",
    "Không nhận số tiền mới: muốn miễn khoản đã thông báo, hãy gọi nơi nộp.",
    "a notice cannot be waived by an answer: call the office that takes the money",
    CONFLICT,
)
ROUNDS_USED: Final = Refusal(
    "rounds_used",
    "",
    "Không nhận yêu cầu bổ sung: đã hết số lần bổ sung cho phép ({limit}).",
    "the citizen was asked for papers as often as is allowed ({limit})",
    CONFLICT,
)
AFTER_RESULT: Final = Refusal(
    "after_result",
    "",
    "Không nhận yêu cầu bổ sung: hồ sơ đã có kết quả.",
    "no papers may be asked for: the dossier has its result",
    CONFLICT,
)
RESPOND_BY_PAST: Final = Refusal(
    "respond_by_past",
    "respond_by",
    "Không nhận yêu cầu bổ sung: hạn trả lời đã nêu đã qua.",
    "the instant by which the citizen is to respond is gone by",
)
NO_CALENDAR_FOR_PAPERS: Final = Refusal(
    "no_calendar",
    "respond_by",
    "Không nhận yêu cầu bổ sung: chưa có lịch làm việc cho hạn trả lời.",
    "there is no working calendar yet for the year of respond_by",
)
UNTIL_TOO_EARLY: Final = Refusal(
    "until_too_early",
    "until",
    "Không nhận gia hạn: hạn mới phải sau hạn hiện tại.",
    "the new date must be after the present one",
)
NO_CALENDAR: Final = Refusal(
    "no_calendar",
    "until",
    "Không nhận gia hạn: chưa có lịch làm việc cho hạn mới.",
    "there is no working calendar yet for the year of the new date",
)
EXTENSIONS_USED: Final = Refusal(
    "extensions_used",
    "",
    "Không nhận gia hạn: đã hết số lần gia hạn cho phép ({limit}).",
    "more time was asked for as often as is allowed ({limit})",
    CONFLICT,
)
