"""The seed documents that come with the server: the food-delivery shop `BD`, and an empty server.

Ids of folders, milestones, users and some test cases are fixed, because the documentation's
example calls name them.
"""

from collections.abc import Mapping
from typing import Any

_HIGH = "high"
_MEDIUM = "medium"
_LOW = "low"


def _case(title: str, priority: str, *tags: str, **more: Any) -> dict[str, Any]:
    steps = [{"description": f"Go through: {title}", "expected": "It is as the title says"}]
    return {"title": title, "priority": priority, "tags": list(tags), "steps": steps} | more


_CHECKOUT = (
    _case("Guest pays for an order by card", _HIGH, "smoke", "payments"),
    _case("Registered customer pays for an order by card", _HIGH, "smoke", "payments"),
    _case("Order summary shows items, fees and total", _HIGH, "smoke"),
    _case("Customer adds a note for the courier", _LOW, "regression"),
    _case(
        "Order is confirmed by e-mail within a minute",
        _HIGH,
        "smoke",
        "regression",
        id="1CEPaUhgH_Tvt2LZygwVRQa",
    ),
    _case("Checkout is refused when the restaurant has closed", _MEDIUM, "regression"),
    _case("Minimum order value is enforced", _MEDIUM, "regression"),
    _case(
        'The "Checkout" page with products from the cart should be shown after clicking the '
        '"Checkout" button',
        _HIGH,
        "smoke",
        "ui",
        id="1CGeNaNVt_Axa7TcMjUm6Zh",
    ),
    _case(
        'The cart is still filled after going back from the "Checkout" page without submitting it',
        _MEDIUM,
        "regression",
        "ui",
        id="1CGeNaNWP_Eiq5mjzPsKSX9",
    ),
    _case(
        "Tip is added to the total",
        _LOW,
        "regression",
        "payments",
        precondition={"shared": "Filled cart"},
    ),
)

_PAYMENT = (
    _case("Payment by card with a second factor", _HIGH, "payments", "security"),
    _case("Declined card leaves the order unpaid", _HIGH, "smoke", "payments"),
    _case("Payment by wallet on a phone", _MEDIUM, "payments", "mobile"),
    _case("Payment in cash is offered only for small orders", _MEDIUM, "payments"),
    _case("Double click on `Pay` charges once", _HIGH, "payments", "regression"),
    _case("Card number is never shown in full", _HIGH, "payments", "security"),
)

_ADDRESS = (
    _case("Address is found while typing", _MEDIUM, "regression", "ui"),
    _case("Address outside the delivery area is refused", _HIGH, "smoke"),
    _case("Saved address is preselected", _LOW, "regression"),
    _case("Delivery fee follows the distance", _MEDIUM, "regression", "payments"),
)

_CART = (
    _case("Dish is added to the cart", _HIGH, "smoke"),
    _case("Dish is removed from the cart", _HIGH, "smoke"),
    _case("Number of portions is changed", _MEDIUM, "regression"),
    _case("Extras change the price of a dish", _MEDIUM, "regression"),
    _case("Cart survives closing the browser", _MEDIUM, "regression"),
    _case("Dishes of two restaurants can't be mixed", _HIGH, "regression"),
    _case("Sold-out dish is greyed out in the cart", _LOW, "ui"),
)

_DISCOUNTS = (
    _case("Voucher lowers the total", _HIGH, "smoke", "payments", id="1CAPaUhgH_Tvt2LZygwVRTb"),
    _case("Expired voucher is refused", _HIGH, "regression", id="1EEPaUhgH_Tvt2LZygwVRLm"),
    _case("Two vouchers can't be combined", _MEDIUM, "regression"),
    _case("Happy-hour discount ends on time", _MEDIUM, "regression"),
    _case("Free delivery above the threshold", _HIGH, "smoke", "payments"),
)

_MENU = (
    _case("Menu shows dishes of the chosen restaurant", _HIGH, "smoke"),
    _case("Search finds dishes by ingredient", _MEDIUM, "regression"),
    _case("Allergens are shown for every dish", _HIGH, "regression"),
    _case("Filter by diet hides other dishes", _MEDIUM, "ui"),
    _case(
        "Changing to corresponding cursor after hovering the element",
        _LOW,
        "ui",
        id="1CEPaUhmj_vcmBY2Y1sGPeL",
    ),
    _case("Photos of dishes load lazily", _LOW, "performance"),
)

_ACCOUNT = (
    _case("Customer signs up with an e-mail address", _HIGH, "smoke"),
    _case("Customer signs in and out", _HIGH, "smoke", "security"),
    _case("Password reset link works once", _HIGH, "security"),
    _case(
        "Order history lists the newest first",
        _MEDIUM,
        "regression",
        steps=[
            {"shared": "Sign in"},
            {"description": "Open the order history", "expected": "The newest order is on top"},
        ],
        requirements=[{"text": "REQ-7 Order history", "url": "https://example.com/REQ-7"}],
    ),
    _case("Past order is ordered again", _MEDIUM, "regression", legacyId="TC-LEGACY-44"),
    _case("Account is deleted with its data", _MEDIUM, "security"),
)

_TRACKING = (
    _case("Courier's position moves on the map", _MEDIUM, "mobile"),
    _case("Estimated time is updated", _MEDIUM, "regression"),
    _case("Customer calls the courier without seeing the number", _MEDIUM, "mobile", "security"),
    _case("Late order offers compensation", _LOW, "regression"),
)

_NOTIFICATIONS = (
    _case("Push message when the courier is near", _MEDIUM, "mobile"),
    _case("E-mail receipt has the tax lines", _MEDIUM, "payments"),
    _case("Customer switches marketing messages off", _LOW, "regression"),
)

_RESTAURANT = (
    _case("Restaurant accepts an order", _HIGH, "smoke"),
    _case("Restaurant rejects an order with a reason", _HIGH, "regression"),
    _case("Restaurant marks a dish as sold out", _MEDIUM, "regression"),
    _case("Opening hours are changed for a holiday", _LOW, "regression"),
    _case("Daily report adds up", _MEDIUM, "payments", "regression"),
)

_COURIER = (
    _case("Courier sees the next pick-up", _HIGH, "mobile", "smoke"),
    _case("Courier confirms a delivery by photo", _MEDIUM, "mobile"),
    _case("Route avoids closed streets", _LOW, "mobile", "performance"),
)

_OWNER = {"id": 1, "email": "owner@example.com", "name": "System Owner", "role": "owner"}

EMPTY: Mapping[str, Any] = {"users": [_OWNER]}

_SHARED_STEPS = (
    {
        "id": 1,
        "title": "Sign in",
        "steps": [
            {"description": "Open the sign-in page", "expected": "The form is shown"},
            {"description": "Sign in as a customer", "expected": "The name is in the header"},
        ],
    },
)

_SHARED_PRECONDITIONS = (
    {"id": 1, "title": "Filled cart", "text": "The cart holds two dishes of one restaurant"},
)

_CUSTOM_FIELDS = (
    {
        "systemName": "browser",
        "name": "Browser",
        "type": "dropdown",
        "options": ["Chrome", "Firefox", "Safari"],
        "default": "Chrome",
    },
    {"systemName": "component", "name": "Component", "type": "text", "projects": ["BD"]},
)

DEMO: Mapping[str, Any] = {
    "users": [
        _OWNER,
        {"id": 2, "email": "adam@example.com", "name": "Adam Admin", "role": "admin"},
        {"id": 4, "email": "bob@example.com", "name": "Bob Runner", "role": "test-runner"},
        {"id": 5, "email": "vera@example.com", "name": "Vera Viewer", "role": "viewer"},
        {"id": 7, "email": "ann@example.com", "name": "Ann User", "role": "user"},
    ],
    "customFields": _CUSTOM_FIELDS,
    "projects": [
        {
            "code": "BD",
            "title": "Bistro Delivery",
            "overviewTitle": "Food from the bistro round the corner",
            "tags": [
                "smoke",
                "regression",
                "payments",
                "ui",
                "mobile",
                "security",
                "performance",
            ],
            "milestones": [
                {"id": 4, "title": "Sprint 22", "archived": True},
                {"id": 5, "title": "Sprint 23"},
                {"id": 6, "title": "Sprint 24"},
                {"id": 7, "title": "Release 2.4"},
            ],
            "sharedSteps": _SHARED_STEPS,
            "sharedPreconditions": _SHARED_PRECONDITIONS,
            "folders": [
                {
                    "id": 1,
                    "title": "Checkout",
                    "cases": _CHECKOUT,
                    "folders": [
                        {"id": 4, "title": "Payment", "cases": _PAYMENT},
                        {"id": 5, "title": "Delivery address", "cases": _ADDRESS},
                    ],
                },
                {
                    "id": 2,
                    "title": "Cart",
                    "cases": _CART,
                    "folders": [{"id": 3, "title": "Discounts", "cases": _DISCOUNTS}],
                },
                {"id": 6, "title": "Menu", "cases": _MENU},
                {
                    "id": 7,
                    "title": "Account",
                    "cases": _ACCOUNT,
                    "folders": [{"id": 8, "title": "Notifications", "cases": _NOTIFICATIONS}],
                },
                {
                    "id": 9,
                    "title": "Operations",
                    "folders": [
                        {"id": 10, "title": "Tracking", "cases": _TRACKING},
                        {"id": 11, "title": "Restaurant", "cases": _RESTAURANT},
                        {"id": 12, "title": "Courier", "cases": _COURIER},
                    ],
                },
            ],
        }
    ],
}
