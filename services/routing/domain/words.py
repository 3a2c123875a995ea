"""The sentences that routing itself says, in Vietnamese with marks.

They go to agencies as notes and to the citizen's file as reasons. Not here: why an answer is not
applied (refusals.py), templates of messages to citizens (the catalogue), words of pages (web/).
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

from shared.kernel.clock import to_vn

WITHDRAWN: Final = "Công dân đã rút hồ sơ: {reason}"
STOPPED: Final = "Hồ sơ đã dừng xử lý: {reason}"
SILENCE: Final = "Quá hạn mà không có ý kiến: được coi là đồng ý theo quy định."
DECIDED_WITHOUT: Final = "Cơ quan đã trả lời mà không cần giấy tờ bổ sung nữa."
NEXT_STEP: Final = (
    "Ông/Bà liên hệ {office} để nhận lại giấy tờ và được hướng dẫn nộp lại hồ sơ "
    "hoặc nộp đúng cơ quan có thẩm quyền."
)
NO_AGENCY: Final = (
    "Chưa xác định được cơ quan có thẩm quyền cho bước này: nơi tiếp nhận hồ sơ điều phối."
)
HANDED_ON: Final = "Việc đã được chuyển sang {agency}; cơ quan không phải làm gì thêm."
TO_BE_PLACED: Final = (
    "Việc đã được đưa vào danh sách điều phối: trưởng bộ phận một cửa chọn cơ quan làm. Cơ quan không "
    "phải làm gì thêm."
)
HANDED_ON_BY: Final = (
    "Việc này do {agency} chuyển đến, thời hạn của bước tính tiếp. Lý do: {reason}"
)
MOVED: Final = "Theo sắp xếp đơn vị hành chính, việc này thuộc {agency} từ nay; cơ quan không phải làm gì thêm."
MOVED_BY: Final = (
    "Việc này do {agency} chuyển đến theo sắp xếp đơn vị hành chính, thời hạn giữ nguyên. Căn cứ: "
    "{reason}"
)
PLACED: Final = "Trưởng bộ phận một cửa giao việc này, thời hạn của bước tính tiếp: {word}"
SENT_BACK: Final = (
    "Hồ sơ được trả về bước «{step}» để làm lại. Đến lượt, việc này được giao lại với mã mới."
)
SENT_BACK_BY: Final = "{agency} trả lại để làm lại bước này. Lý do: {reason}"
DONE_AGAIN: Final = (
    "Hồ sơ được trả về bước trước (từ bước «{step}»). Không phải làm gì thêm: đến lượt, việc này "
    "được giao lại với mã mới."
)
VERIFYING: Final = (
    "Đã mở xác minh bổ sung: hạn của việc này là {at}. Ngày hẹn trả được lùi theo luật và công dân "
    "được báo lý do; không phải chậm trễ."
)
NOT_PLACED: Final = "Chưa giao được cho cơ quan nào: {step}"
PAUSED: Final = "Tạm dừng tính hạn trong khi chờ công dân."
STEP_NOT_DONE: Final = "Chưa làm xong việc: {step}"
NOT_DONE: Final = "Hồ sơ chưa giải quyết xong"
STEP_MISSED: Final = (
    "Việc này đã quá hạn. Hãy trả lời ngay, hoặc nêu hạn mới và lý do (xin thêm thời gian)."
)
PROMISE_MISSED: Final = (
    "Hồ sơ đã quá ngày hẹn trả kết quả. Nêu ngày mới trước {at} bằng câu trả lời xin thêm thời gian; "
    "sau đó hệ thống tự xin lỗi công dân và hẹn lại."
)
APOLOGISED: Final = "Công dân đã được xin lỗi và hẹn lại {at}."
WISH_WAITS: Final = (
    "Xin thêm thời gian đến {at}: chờ lãnh đạo nơi tiếp nhận quyết định, hạn hiện tại vẫn giữ."
)
OUTSIDE_HOURS: Final = "Hạn đã nêu nằm ngoài giờ làm việc."
WISH_GRANTED: Final = "Lãnh đạo nơi tiếp nhận đồng ý gia hạn đến {at}."
WISH_REFUSED: Final = "Lãnh đạo nơi tiếp nhận không đồng ý gia hạn: {reason}"
WISH_LAPSED: Final = (
    "Việc này đã quá hạn mà yêu cầu thêm thời gian chưa được quyết định. Hãy trả lời ngay, hoặc nêu "
    "hạn mới và lý do (xin thêm thời gian)."
)
ANSWERED_BEFORE_VERDICT: Final = "Việc đã xong hoặc hạn đã đổi; quyết định gia hạn không còn tính."
NEW_DUE: Final = "Đã ghi nhận hạn mới."
NEW_DUE_MOVED: Final = "Đã ghi nhận hạn mới {at}: hạn đã nêu nằm ngoài giờ làm việc."
RESPOND_BY_MOVED: Final = (
    "Công dân được hẹn bổ sung đến {at}: hạn đã nêu nằm ngoài giờ làm việc của nơi nhận giấy tờ."
)
RESPOND_BY_PAST: Final = "Hạn trả lời đã nêu đã qua: yêu cầu được gửi mà không có hạn."

CORRECTED_NOTICE: Final = "{number} (sửa {at})"
SUM_CORRECTED: Final = "Đã ghi nhận số tiền mới; công dân nhận thông báo thay thế."

CORRECTED: Final = "Bộ phận một cửa sửa chỗ ghi nhầm: hãy dùng giá trị mới."
CORRECTED_TOO_LATE: Final = (
    "Bộ phận một cửa sửa chỗ ghi nhầm sau khi cơ quan đã trả lời: câu trả lời vẫn giữ nguyên. Nếu kết "
    "quả vì thế mà sai, hãy cải chính theo quy định và báo bộ phận một cửa."
)

WAITS_ITS_TURN: Final = "Đang chờ công dân; yêu cầu bổ sung này sẽ được gửi ngay sau đó."

ALREADY_TAKEN: Final = "Nhiệm vụ đã được nhận trước đó; cán bộ thụ lý được ghi lại."
DOSSIER_CLOSED: Final = "Hồ sơ đã kết thúc; thông tin này không thay đổi gì."
ALREADY_OPEN: Final = "Hồ sơ đã được chuyển xử lý trước đó."
NOTHING_WAITED: Final = "Không có yêu cầu bổ sung nào đang chờ."
STILL_AWAITED: Final = "Cơ quan cũng đang chờ giấy tờ của công dân; hồ sơ theo yêu cầu đó."
ANSWERED_MEANWHILE: Final = "Cơ quan đã trả lời hoặc hạn đã đổi; sự im lặng không còn tính."
NO_SUCH_PAYMENT: Final = "Không có khoản nộp nào đang chờ ở bước này."


def minute(at: datetime) -> str:
    """An instant on the wall clock of Việt Nam, `17:30 09/03/2022`."""
    return to_vn(at).strftime("%H:%M %d/%m/%Y")


def dong(amount: int) -> str:
    """A sum of dong as it is written here: 1.250.000."""
    return f"{amount:,}".replace(",", ".")
