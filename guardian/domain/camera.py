"""Why a camera gives no picture, and what to do about it: one vocabulary for the device's screen and the fleet's page."""

from __future__ import annotations

CAMERA_WORDS: dict[str, tuple[str, str]] = {
    "camera-unreachable": ("連不上攝影機", "檢查位址、電源與網路線"),
    "camera-login": ("攝影機不接受帳號或密碼", "在位址寫明：rtsp://帳號:密碼@…"),
    "camera-no-such-stream": ("攝影機在線上，但沒有這個路徑", "查攝影機說明書的 RTSP 路徑"),
    "camera-no-picture": ("收到的串流沒有可解碼的畫面", "在攝影機把影像編碼改為 H.264 或 MJPEG"),
    "camera-missing": ("攝影機沒有接上", "檢查 USB 線"),
    "camera-busy": ("攝影機被其他程式占用", "關掉那個程式"),
    "camera-not-allowed": ("沒有使用攝影機的權限", "把使用者加入 video 群組後重新登入"),
    "camera-hangs": ("攝影機有回應但不送畫面", "把攝影機關掉再開"),
    "camera-ended": ("攝影機中斷了串流", "不必處理，自動重連；常常發生就檢查網路"),
}
"""Sentence and cure by reason. A reason that is not here is of a newer device."""
