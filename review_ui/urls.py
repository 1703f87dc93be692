"""Every address of the pages."""

from django.contrib.auth.views import LogoutView
from django.urls import include, path

from review_ui import accounts, health
from review_ui.api.v1 import api
from review_ui.lead import prevalence
from review_ui.lead import views as lead
from review_ui.liaison import views as liaison
from review_ui.staff import claiming, copies, searches
from review_ui.staff import views as staff
from review_ui.volunteers import views as volunteers

urlpatterns = [
    path("", accounts.home, name="home"),
    path("sign-in/", accounts.SignIn.as_view(), name="sign-in"),
    path("sign-out/", LogoutView.as_view(), name="sign-out"),
    path("sign-in/<str:uid>/<str:token>/", accounts.sign_in_link, name="sign-in-link"),
    path("set-password/<str:uid>/<str:token>/", accounts.set_password, name="set-password"),
    path("language/", include("django.conf.urls.i18n")),
    path("queue/", staff.queue, name="queue"),
    path("queue/trend/", searches.trend, name="trend"),
    path("queue/export/", searches.export, name="export-results"),
    path("queue/searches/", searches.save, name="save-search"),
    path("queue/searches/<int:search_id>/remove/", searches.remove, name="remove-search"),
    path("queue/searches/<int:search_id>/bring-back/", searches.bring_back, name="bring-back-search"),
    path("cases/<int:case_id>/similar/", searches.similar, name="similar"),
    path("queue/due/", staff.due, name="due"),
    path("queue/next/", staff.next_case, name="next-case"),
    path("cases/<int:case_id>/", staff.case, name="case"),
    path("cases/<int:case_id>/reveal/", staff.reveal, name="reveal"),
    path("cases/<int:case_id>/decide/", staff.decide, name="decide"),
    path("cases/<int:case_id>/undo/", staff.undo, name="undo"),
    path("cases/<int:case_id>/claim/", claiming.claim, name="claim"),
    path("cases/<int:case_id>/take-over/", claiming.take_over, name="take-over"),
    path("cases/<int:case_id>/hand-over/", claiming.hand_over, name="hand-over"),
    path("cases/<int:case_id>/give-back/", claiming.give_back, name="give-back"),
    path("cases/<int:case_id>/split/", copies.split, name="split"),
    path("cases/<int:case_id>/rejoin/", copies.rejoin, name="rejoin"),
    path("volunteer/", volunteers.item, name="volunteer"),
    path("volunteer/help/", volunteers.help_page, name="volunteer-help"),
    path("volunteer/undo/", volunteers.undo, name="volunteer-undo"),
    path("volunteer/text-size/", volunteers.text_size, name="text-size"),
    path("volunteer/<int:case_id>/show/", volunteers.show, name="volunteer-show"),
    path("volunteer/<int:case_id>/answer/", volunteers.answer, name="volunteer-answer"),
    path("volunteer/<int:case_id>/category/", volunteers.category, name="volunteer-category"),
    path("notices/", liaison.index, name="notices"),
    path("notices/new/<slug:site>/", liaison.new, name="notice-new"),
    path("notices/<int:notice_id>/", liaison.notice, name="notice"),
    path("notices/<int:notice_id>/submit/", liaison.submit, name="notice-submit"),
    path("notices/<int:notice_id>/approve/", liaison.approve, name="notice-approve"),
    path("notices/<int:notice_id>/send-back/", liaison.send_back, name="notice-send-back"),
    path("notices/<int:notice_id>/discard/", liaison.discard, name="notice-discard"),
    path("notices/<int:notice_id>/export/<slug:format_>/", liaison.export, name="notice-export"),
    path("notices/lines/<int:line_id>/", liaison.line, name="notice-line"),
    path("lead/", lead.overview, name="lead"),
    path("lead/audit/verify/", lead.verify_audit, name="verify-audit"),
    path("lead/rules/<slug:name>/", lead.turn_rule, name="turn-rule"),
    path("lead/prevalence/", prevalence.page, name="prevalence"),
    path("lead/people/", lead.people, name="people"),
    path("lead/people/<int:user_id>/switch/", lead.switch, name="switch-person"),
    path("lead/people/<int:user_id>/link/", lead.link, name="link-person"),
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("metrics", health.metrics, name="metrics"),
    path("api/v1/", api.urls),
]
