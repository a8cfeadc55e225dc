"""The one tree of errors: whoever uses the package catches `OrderAssetsError`, or the branch that is meant.

Each room declares its own errors where they are raised; the tree as a whole is drawn here. What a room raises and
catches within itself is private to it and not in the tree.

    OrderAssetsError
        SettingsError                   variables of the environment cannot be used
        UsageError                      arguments of the command cannot be carried out
        ContractError                   declarations of the contract contradict each other
        ExactJsonError                  a text is no exact JSON
        OmnitronError                   a call of the instance gave no usable answer
            OmnitronConfigError         it cannot be called with these settings
            OmnitronAuthError           401, or a refused login
            OmnitronForbiddenError      403
            OmnitronNotFoundError       404 where the thing must exist
            OmnitronRequestError        another 4xx
            OmnitronUnavailableError    no usable answer after all attempts
            OmnitronAnswerError         an answer that is none of this API
                OmnitronMisfitError     an answer that is no document of the order that was requested
                OmnitronBlockedError    a firewall, a proxy or a page for people answered in its place
                ListShrankError         a page that was promised is not there
            OmnitronQuietError          quiet hours: nothing was requested
            OmnitronStoppedError        the call was given up because the walk ended
        PrivacyError                    the privacy settings cannot be used
        DataRootError                   the data root belongs to something else, or cannot be read
        OrderIndexError                 the index is missing, or what was listed cannot be the whole list
        UnplacedRowError                a row of the list belongs to no day
        LandingError                    a landing file is missing or cannot be read
        Refused                         a document does not fit the contract
        MisfitError                     a value does not fit its column
        LakeError                       the Delta tables of the lake cannot be written or read
        DayWorkerError                  a process that makes the tables of days ended before it answered
        WarehouseError                  the warehouse cannot be written or read
            QualityError                marts of a draft are wrong, so it was not published
        MartError                       a mart's file cannot be used
        TableAccessError                what was requested of the tables cannot be read
        OwnPackageError                 the package of the folder has no definitions that the command can use
        NewPackageError                 a new package cannot be written
        ReportError                     the report cannot be made
        AlertError                      an alert could not be delivered
        SandboxError                    the stand-in could not be started or stopped
"""

from __future__ import annotations

from typing import Literal

Kind = Literal["transient", "permanent"]


class OrderAssetsError(Exception):
    """Base of all errors of this package; `str(error)` is a sentence or two with what to do, and no secret.

    `kind` says whether trying again later may help.
    """

    kind: Kind = "permanent"
